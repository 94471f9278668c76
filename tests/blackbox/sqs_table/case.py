"""What a case is: calls in a row, each with the answer it must get, and how one is run over a wire.

In arguments and answers stand values that only the run knows: `Q` (the url of the case's queue, which is made when it is first named),
`url(label)`, `arn(label)` and `name(label)` of further ones, `saved("label.Messages.0.Body")` of an earlier answer.
In answers stand matchers as well: UUID, TEXT, INTEGER, SomeOf, Having, Unordered.
"""
import base64
import dataclasses
import hashlib
import json
import re
import time

from sqs_table import errors

ACCOUNT, REGION = "123456789012", "us-east-1"
CASES = []


@dataclasses.dataclass(frozen=True)
class Later:
    """A value that the run knows: `kind` of `label`, put where `form` has {}."""
    kind: str
    label: str
    form: str = "{}"


@dataclasses.dataclass(frozen=True)
class Matches:
    pattern: str


@dataclasses.dataclass(frozen=True)
class SomeOf:
    """At least these members."""
    members: dict


@dataclasses.dataclass(frozen=True)
class Having:
    """A list with this among others."""
    element: object


@dataclasses.dataclass(frozen=True)
class Unordered:
    elements: list


UUID = Matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXT = Matches(".+")
INTEGER = Matches("[0-9]+")


def url(label):
    return Later("url", label)


def arn(label):
    return Later("arn", label)


def name(label, form="{}"):
    return Later("name", label, form)


def saved(path, form="{}"):
    return Later("saved", path, form)


Q = url("q")


@dataclasses.dataclass(frozen=True)
class Call:
    action: str
    members: dict
    answer: object = None  # a dict with exactly the answer's members, an errors.Refusal, or None: it succeeds
    save: str | None = None
    until: bool = False  # asked again until the answer is this: what happens in the background


def call(action, members, answer=None, save=None, until=False):
    return Call(action, members, answer, save, until)


@dataclasses.dataclass(frozen=True)
class Case:
    action: str  # whose case it is
    sentence: str
    calls: tuple
    queues: dict  # label: attributes; of queues made before
    limit: str | None
    differs: str | None  # from AWS: what and why
    wires: tuple | None
    cool_off: bool  # of the server: 60 seconds after a delete and between purges

    def asserted(self):
        return [one for one in self.calls if one.answer is not None]

    def succeeds(self):
        return not any(isinstance(one.answer, errors.Refusal) for one in self.calls)


def case(action, sentence, *calls, queues=None, limit=None, differs=None, wires=None, cool_off=False):
    """Adds a case to the table. It runs in both protocols; what succeeds also at the queue's path and as a GET, unless `wires` says otherwise."""
    CASES.append(Case(action, sentence, calls, queues or {}, limit, differs, wires, cool_off))


def sent(*bodies, to=Q, **more):
    """Calls that send these."""
    return [call("SendMessage", {"QueueUrl": to, "MessageBody": body, **more}) for body in bodies]


def received(save="got", of=Q, **more):
    """A call that receives up to ten."""
    return call("ReceiveMessage", {"QueueUrl": of, "MaxNumberOfMessages": 10, **more}, save=save)


class World:
    """One run of a case over one wire."""

    def __init__(self, wire, helper, base, case, wire_name):
        self.wire, self.helper, self.base, self.case, self.saved, self.made = wire, helper, base, case, {}, {}
        self.mark = hashlib.sha1(f"{wire_name} {case.action} {case.sentence}".encode()).hexdigest()[:16]

    def run(self):
        for label, attributes in self.case.queues.items():
            self.make(label, attributes)
        for step in self.case.calls:
            self.step(step)
        for made in self.made.values():
            self.helper("DeleteQueue", {"QueueUrl": made})

    def step(self, step):
        members = self.fill(step.members)
        refused = isinstance(step.answer, errors.Refusal)
        before = self.state() if refused else None
        status, said = self.wire.call(step.action, members)
        deadline = time.monotonic() + 30
        while step.until and time.monotonic() < deadline and status == 200 and not self.agree(step.answer, said):
            time.sleep(0.01)
            status, said = self.wire.call(step.action, members)
        what = f"{step.action} {str(members)[:600]}"
        if refused:
            expected = step.answer.on(self.wire, self.fill(step.answer.message))
            assert (status, said) == expected, f"{what}\n got {status, said}\nwant {expected}"
            assert self.state() == before, f"{what} was refused and has changed something"
            return
        assert status == 200, f"{what}\n got {status, said}"
        assert step.answer is None or self.agree(step.answer, said), f"{what}\n got {str(said)[:2000]}\nwant {str(self.fill(step.answer))[:2000]}"
        if step.save:
            self.saved[step.save] = said

    def state(self):
        """All that a refused call could have changed."""
        return [self.helper("GetQueueAttributes", {"QueueUrl": one, "AttributeNames": ["All"]}) for one in self.made.values()] + [
            self.helper("ListQueueTags", {"QueueUrl": one}) for one in self.made.values()]

    def name_of(self, label):
        return f"t{self.mark}-{label}"

    def make(self, label, attributes):
        made = {key: self.fill(value) for key, value in attributes.items()}
        if label.endswith(".fifo"):
            made["FifoQueue"] = "true"
        members = {"QueueName": self.name_of(label), **({"Attributes": made} if made else {})}
        status, said = self.helper("CreateQueue", members)
        assert status == 200, (members, said)
        self.made[label] = said["QueueUrl"]
        return self.made[label]

    def fill(self, value):
        if isinstance(value, Later):
            return self.later(value)
        if isinstance(value, dict):
            return {self.fill(key): self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        return value

    def later(self, value):
        return value.form.replace("{}", str(getattr(self, f"{value.kind}_of")(value.label)))

    def url_of(self, label):
        return self.made.get(label) or self.make(label, {})

    def future_url_of(self, label):
        return f"{self.base}/{ACCOUNT}/{self.name_of(label)}"

    def arn_of(self, label):
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name_of(label)}"

    def handle_of(self, label):
        """Of a move task that never was."""
        task = {"taskId": "00000000-0000-4000-8000-000000000000", "sourceArn": self.arn_of(label)}
        return base64.b64encode(json.dumps(task).encode()).decode()

    def saved_of(self, path):
        found = self.saved
        for part in path.split("."):
            found = found[int(part) if isinstance(found, list) else part]
        return found

    def agree(self, want, got):
        want = self.later(want) if isinstance(want, Later) else want
        if isinstance(want, Matches):
            return isinstance(got, (str, int)) and re.fullmatch(want.pattern, str(got), re.DOTALL) is not None
        if isinstance(want, SomeOf):
            return isinstance(got, dict) and all(key in got and self.agree(inner, got[key]) for key, inner in want.members.items())
        if isinstance(want, Having):
            return isinstance(got, list) and any(self.agree(want.element, one) for one in got)
        if isinstance(want, Unordered):
            left = list(got)
            for one in want.elements:
                found = next((other for other in left if self.agree(one, other)), None)
                if found is None:
                    return False
                left.remove(found)
            return not left
        if isinstance(want, dict):
            return isinstance(got, dict) and want.keys() == got.keys() and all(self.agree(inner, got[key]) for key, inner in want.items())
        if isinstance(want, list):
            return isinstance(got, list) and len(want) == len(got) and all(map(self.agree, want, got))
        return want == got
