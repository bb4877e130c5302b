"""Reads updates and answers of a Bot API server with aiogram's models, and says what it has against them.

Standard input: {"updates": [update, ...], "answers": [[method, answer], ...]}. Standard output: one JSON list of texts.
Unlike aiogram itself it takes no field that the models do not know, and no value of another type than theirs: what it
read must be what it would write.
"""

import json
import sys

from aiogram import methods
from aiogram.methods import Response
from aiogram.types import Update

# aiogram knows Bot API 10.3, where these are required; the fake plays 10.1, as our description of it (specs).
LATER = {"can_send_welcome_messages": False}

KNOWN = {name.lower(): getattr(methods, name) for name in methods.__all__}


def completed(value):
    if isinstance(value, list):
        return [completed(one) for one in value]
    if isinstance(value, dict):
        later = LATER if value.get("status") == "administrator" else {}
        return later | {name: completed(one) for name, one in value.items()}
    return value


def unknown(value, path):
    """Fields that no model knows, by their path."""
    if isinstance(value, (list, tuple)):
        for at, one in enumerate(value):
            yield from unknown(one, f"{path}[{at}]")
    elif hasattr(value, "model_fields_set"):
        for name in value.model_extra or {}:
            yield f"{path}.{name} is not known"
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name, None), f"{path}.{name}")


def judged(model, given, path):
    try:
        read = model.model_validate(given)
    except ValueError as error:
        return [f"{path}: {error}"]
    found = list(unknown(read, path))
    written = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
    if not found and written != given:
        found.append(f"{path}: {json.dumps(given)} is read as {json.dumps(written)}")
    return found


def main():
    given = completed(json.load(sys.stdin))
    found = []
    for update in given["updates"]:
        kind = next((name for name in update if name != "update_id"), "nothing")
        found += judged(Update, update, f"update {kind}")
    for method, answer in given["answers"]:
        returned = KNOWN[method.lower()].__returning__
        found += judged(Response[returned], answer, method)
    json.dump(found, sys.stdout)


main()
