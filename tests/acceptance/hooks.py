"""What schemathesis has to know of the api besides its document. Loaded by schemathesis itself."""

import os
import re
from typing import Any
from uuid import uuid4

import schemathesis

Json = dict[str, Any]

SPARED_KEYS = "ACCEPTANCE_SPARED_KEYS"
"""Environment variable: ids of API keys in use, which no test may revoke."""

_spared = frozenset(os.environ.get(SPARED_KEYS, "").split(","))
_ON_MEMORY = (
    *("read_memory", "edit_memory", "erase_memory", "list_memory_history"),
    *("archive_memory", "restore_memory"),
)
_ON_JOB = ("read_job", "retry_job", "cancel_job")


def before_load_schema(_context: object, raw_schema: Json) -> None:
    """Tell where the ids of memories and jobs come from: those are the ones worth trying."""
    stored = raw_schema["paths"]["/v1/memories"]["post"]["responses"]["201"]
    memory_id = {"memory_id": "$response.body#/items/0/id"}
    job_id = {"job_id": "$response.body#/job_id"}
    stored["links"] = {
        operation: {"operationId": operation, "parameters": parameters}
        for operations, parameters in ((_ON_MEMORY, memory_id), (_ON_JOB, job_id))
        for operation in operations
    }


def before_call(_context: object, case: Any, _kwargs: Json) -> None:  # noqa: ANN401
    """Spare the keys in use: an attack without a key would attack nothing."""
    if str((case.path_parameters or {}).get("key_id")) in _spared:
        case.path_parameters["key_id"] = str(uuid4())


_OF_AN_OWNER = re.compile(r"/v1/(?:users|agents)/\{\w+\}/")
"""Ids of owners may hold slashes, so `DELETE …/{id}` fits `…/{id}/profile` too."""


def filter_failure(_context: object, failure: Any, case: Any, _response: object) -> bool:  # noqa: ANN401
    """Accept that an address may fit two routes: `…/{id}` also fits `…/{id}:archive`.

    A method that only the other route takes is then refused as that route refuses the odd id.
    """
    overlaps = ":" in case.path or _OF_AN_OWNER.match(case.path)
    return not (overlaps and failure.code in {"ST204", "ST205"})


def codes_are_documented(_context: object, response: Any, case: Any) -> None:  # noqa: ANN401
    """Hold every failure to the codes that the operation documents for its status."""
    status = response.status_code
    responses: Json = case.operation.definition.raw["responses"]
    if status < 400 or str(status) not in responses:
        return  # other checks look at the status
    code = response.json()["code"]
    examples = responses[str(status)]["content"]["application/problem+json"]["examples"]
    assert code in examples, f"{code} is not among the codes documented for {status}"


def rules_are_documented(_context: object, response: Any, case: Any) -> None:  # noqa: ANN401
    """Hold a refusal of what fits the schema to rules that no schema can express."""
    generated = case.meta.generation.mode if case.meta else None
    if response.status_code != 422 or generated is None or not generated.is_positive:
        return
    broken = [one for one in response.json().get("errors", ()) if one["type"] != "value_error"]
    assert not broken, f"the schema does not tell of: {broken}"


schemathesis.hook(before_load_schema)
schemathesis.hook(before_call)
schemathesis.hook(filter_failure)
schemathesis.check(codes_are_documented)
schemathesis.check(rules_are_documented)
