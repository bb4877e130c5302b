"""Drives a Web API server with slack_sdk, the vendor's own client, and verifies signatures with its verifier.

Standard input: {"api": url, "token": ..., "channel": ..., "secret": ..., "signed": [[body, timestamp, signature], ...]}.
Standard output: one JSON object: what the client read, and which of the signed bodies its verifier takes.
"""

import json
import sys

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models import blocks
from slack_sdk.models.metadata import Metadata
from slack_sdk.models.views import View
from slack_sdk.signature import SignatureVerifier


def card():
    return [
        blocks.HeaderBlock(text="A card"),
        blocks.SectionBlock(text=blocks.MarkdownTextObject(text="*Ana* waits"), fields=["a", "b"]),
        blocks.ContextBlock(elements=[blocks.MarkdownTextObject(text="queued")]),
        blocks.ActionsBlock(
            elements=[
                blocks.ButtonElement(text="Accept", action_id="accept", value="1", style="primary"),
                blocks.OverflowMenuElement(
                    action_id="more",
                    options=[blocks.Option(value=name, text=name) for name in ("transfer", "snooze")],
                ),
            ]
        ),
    ]


def talk(client, channel):
    found = {"me": client.auth_test().data}
    metadata = Metadata(event_type="delivery", event_payload={"delivery_id": "d1"})
    root = client.chat_postMessage(channel=channel, text="card", blocks=card(), metadata=metadata)
    reply = client.chat_postMessage(channel=channel, thread_ts=root["ts"], text="reply")
    client.chat_update(channel=channel, ts=reply["ts"], text="reply, edited")
    client.reactions_add(channel=channel, timestamp=root["ts"], name="eyes")
    upload = client.files_upload_v2(
        channel=channel, thread_ts=root["ts"], filename="a.txt", content="some text", initial_comment="a file"
    )
    found["uploaded"] = [file["name"] for file in upload["files"]]
    found["thread"] = [one.get("text") for one in client.conversations_replies(channel=channel, ts=root["ts"])["messages"]]
    history = client.conversations_history(channel=channel, include_all_metadata=True)
    found["history"] = history["messages"]
    found["members"] = [member for page in client.conversations_members(channel=channel, limit=1) for member in page["members"]]
    person = [member for member in found["members"] if member != found["me"]["user_id"]][0]
    found["person"] = client.users_info(user=person)["user"]["profile"]["email"]
    found["by_email"] = client.users_lookupByEmail(email=found["person"])["user"]["id"] == person
    direct = client.conversations_open(users=person)["channel"]["id"]
    asked = client.chat_postMessage(channel=direct, text="asked")
    stream = client.chat_startStream(channel=direct, thread_ts=asked["ts"], markdown_text="a")
    client.chat_appendStream(channel=direct, ts=stream["ts"], markdown_text="b")
    found["streamed"] = client.chat_stopStream(channel=direct, ts=stream["ts"], markdown_text="c")["message"]["text"]
    client.chat_postEphemeral(channel=channel, user=person, text="psst")
    client.assistant_threads_setStatus(channel_id=direct, thread_ts=asked["ts"], status="is thinking")
    client.assistant_threads_setSuggestedPrompts(
        channel_id=direct, thread_ts=asked["ts"], prompts=[{"title": "VPN", "message": "My VPN fails"}]
    )
    home = View(type="home", blocks=card())
    found["home"] = client.views_publish(user_id=person, view=home)["view"]["type"]
    client.chat_delete(channel=channel, ts=reply["ts"])
    try:
        client.chat_update(channel=channel, ts=reply["ts"], text="too late")
    except SlackApiError as error:
        found["refusal"] = error.response["error"]
    try:
        client.chat_postMessage(channel=channel, text="x", blocks=[{"type": "section"}])
    except SlackApiError as error:
        found["messages"] = error.response["response_metadata"]["messages"]
    return found


def main():
    given = json.load(sys.stdin)
    client = WebClient(token=given["token"], base_url=given["api"] + "/", timeout=20)
    found = talk(client, given["channel"])
    verifier = SignatureVerifier(given["secret"])
    found["signed"] = [verifier.is_valid(*one) for one in given["signed"]]
    json.dump(found, sys.stdout)


main()
