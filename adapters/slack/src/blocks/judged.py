"""Reads blocks and views from standard input and says what slack_sdk's models have against them, as a list of words."""

import json
import logging
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

said = []


class Listening(logging.Handler):
    """Unknown keys and types are only logged."""

    def emit(self, record):
        said.append(record.getMessage())


logging.getLogger().addHandler(Listening())
logging.getLogger().setLevel(logging.WARNING)
for name in list(logging.root.manager.loggerDict):
    if name.startswith("slack_sdk"):
        logging.getLogger(name).setLevel(logging.WARNING)


def same(ours, theirs, path, found):
    """What their model dropped or changed: it parsed something else than we meant."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key not in theirs:
                found.append(f"{path}.{key} is not known")
            else:
                same(value, theirs[key], f"{path}.{key}", found)
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            found.append(f"{path} has {len(theirs)} of {len(ours)}")
        for at, (mine, other) in enumerate(zip(ours, theirs)):
            same(mine, other, f"{path}[{at}]", found)
    elif ours != theirs:
        found.append(f"{path} became {theirs!r}")


def walk(model, found, path):
    """Validates a model and everything in it: to_dict() checks only the outermost."""
    if hasattr(model, "validate_json"):
        try:
            model.validate_json()
        except SlackObjectFormationError as error:
            found.append(f"{path}: {error}")
    for key, value in list(vars(model).items()) if hasattr(model, "__dict__") else []:
        for at, part in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            if hasattr(part, "validate_json"):
                walk(part, found, f"{path}.{key.strip('_')}[{at}]")


faults = []
for given in json.load(sys.stdin):
    found = []
    said.clear()
    try:
        if "view" in given:
            model = View(**given["view"])
            walk(model, found, "view")
            same(given["view"], json.loads(json.dumps(model.to_dict())), "view", found)
        else:
            for at, ours in enumerate(given["blocks"]):
                model = Block.parse(ours)
                if model is None or type(model) is Block:
                    found.append(f"block {at} is none")
                    continue
                walk(model, found, f"block {at}")
                same(ours, json.loads(json.dumps(model.to_dict())), f"block {at}", found)
    except SlackObjectFormationError as error:
        found.append(str(error))
    found.extend(said)
    if found:
        faults.append(given["name"] + ": " + "; ".join(found))
json.dump(faults, sys.stdout)
