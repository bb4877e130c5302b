"""Reads tokens of the Bot Connector from standard input and says of each whether botframework-connector takes it."""

import asyncio
import json
import sys

from botframework.connector.auth import ChannelValidation, SimpleCredentialProvider


async def takes(bot, token):
    try:
        identity = await ChannelValidation.authenticate_channel_token_with_service_url(
            token["authorization"], bot, token["service_url"], token["channel_id"]
        )
        return identity is not None and identity.is_authenticated
    # It refuses by exceptions of many kinds, some of them of the libraries below it.
    except Exception:  # pylint: disable=broad-except
        return False


async def main():
    given = json.load(sys.stdin)
    ChannelValidation.open_id_metadata_endpoint = given["metadata"]
    bot = SimpleCredentialProvider(given["app_id"], "")
    json.dump([await takes(bot, token) for token in given["tokens"]], sys.stdout)


asyncio.run(main())
