"""What the database servers of the tests have in common: user app, who may do everything, and databases one after the other."""
from servers import ports, process

USER, PASSWORD = "app", "app-secret"


class DatabaseServer(process.Server):
    """`settings` are lines of its configuration beside ours. Subclasses give `driver`, as forebay.toml calls it, and `query()`."""

    address = "127.0.0.1"
    driver = None
    create_options = ""

    def __init__(self, settings=""):
        super().__init__()
        self.settings = settings
        self.port, = ports.reserve(1)
        self.databases = 0

    def fresh_database(self):
        """The name of a new, empty database."""
        self.databases += 1
        name = f"d{self.databases}"
        self.query(f"CREATE DATABASE {name} {self.create_options}")
        return name

    def toml(self, database, name="main", more=""):
        return f"""
[db.{name}]
driver = "{self.driver}"
writer = ["127.0.0.1:{self.port}"]
reader = ["127.0.0.1:{self.port}"]
database = "{database}"
user = "{USER}"
password = "${{file:{self.write('password', PASSWORD)}}}"
{more}
"""
