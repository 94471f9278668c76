#pragma once
// MariaDB and PostgreSQL: two pools, one for the writer's addresses and one for the reader's; inside db/ only.

#include <memory>

#include "db/connection.h"

namespace forebay::db {

Result<std::unique_ptr<Database>, Error> open_server(Options options);
std::unique_ptr<Reader> server_reader(Options options);

}  // namespace forebay::db
