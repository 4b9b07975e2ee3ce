"""As much of JSON Schema as SendGrid's OpenAPI file uses, read strictly: a key that it does not name is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
#: Words that say nothing about what is valid.
SILENT = {"description", "title", "default", "example", "deprecated", "nullable"}
KNOWN = {
    "type", "properties", "required", "additionalProperties", "items", "maxItems", "minItems", "uniqueItems",
    "minLength", "maxLength", "maxProperties", "enum", "format", "$ref",
}  # fmt: skip


def request_schema(spec: dict) -> dict:
    """Return what the body of a Mail Send request must be."""
    body = _resolved(spec["paths"]["/v3/mail/send"]["post"]["requestBody"], spec)
    return body["content"]["application/json"]["schema"]


def _resolved(schema: dict, spec: dict) -> dict:
    while "$ref" in schema:
        found: Any = spec
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def errors(value: Any, schema: dict, spec: dict, place: str = "body") -> Iterator[str]:
    """Yield what is wrong with a value."""
    schema = _resolved(schema, spec)
    if unknown := schema.keys() - KNOWN - SILENT:
        yield f"{place}: the schema says what we do not check: {sorted(unknown)}"
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        yield f"{place}: no {kind}"
    elif isinstance(value, dict):
        yield from _object_errors(value, schema, spec, place)
    elif isinstance(value, list):
        yield from _array_errors(value, schema, spec, place)
    elif isinstance(value, str):
        yield from _string_errors(value, schema, place)


def _object_errors(value: dict, schema: dict, spec: dict, place: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}.{name}: missing"
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{place}: too many"
    for name, inner in value.items():
        if name in properties:
            yield from errors(inner, properties[name], spec, f"{place}.{name}")
        elif isinstance(others, dict):
            yield from errors(inner, others, spec, f"{place}.{name}")
        elif properties:
            yield f"{place}.{name}: unknown"


def _array_errors(value: list, schema: dict, spec: dict, place: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{place}: {len(value)} are too few or too many"
    if schema.get("uniqueItems") and len({repr(item) for item in value}) < len(value):
        yield f"{place}: one is there twice"
    for at, item in enumerate(value):
        yield from errors(item, schema.get("items", {}), spec, f"{place}.{at}")


def _string_errors(value: str, schema: dict, place: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place}: too short or too long"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: not one of {schema['enum']}"
    if schema.get("format") == "email" and not re.fullmatch(r"[^\s@]+@[^\s@]+", value):
        yield f"{place}: no email address"
