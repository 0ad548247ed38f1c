"""A mail server on loopback (aiosmtpd) for the tests: it keeps what it takes as files, and says when it is ready.

server.py FOLDER PORT [--refuse COUNT] [--login USER PASSWORD]
"""

import argparse
import email
import email.policy
import pathlib
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("port", type=int)
parser.add_argument("--refuse", type=int, default=0, help="how many messages are refused for now")
parser.add_argument("--login", nargs=2)
arguments = parser.parse_args()


class Keep:
    refused = 0
    taken = 0

    async def handle_DATA(self, server, session, envelope):
        if self.refused < arguments.refuse:
            self.refused += 1
            return "451 4.3.0 try again later"
        self.taken += 1
        # Whole or not at all: whoever waits for it looks at the name.
        part = arguments.folder / f"{self.taken}.part"
        part.write_text(read(envelope))
        part.rename(arguments.folder / f"{self.taken}.eml")
        return "250 2.0.0 taken"


def read(envelope):
    """A message as a person reads it: whom it went to, its header, each of its parts."""
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    lines = [f"envelope: {envelope.mail_from} -> {', '.join(envelope.rcpt_tos)}"]
    lines += [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date", "Message-ID")]
    for part in message.walk():
        if not part.is_multipart():
            lines += [f"part: {part.get_content_type()}", part.get_content().replace("\r\n", "\n")]
    return "\n".join(lines)


def login(server, session, envelope, mechanism, data):
    asked = [data.login.decode(), data.password.decode()]
    return AuthResult(success=asked == arguments.login, handled=False)


options = {}
if arguments.login:
    options = {"authenticator": login, "auth_required": True, "auth_require_tls": False}
controller = Controller(Keep(), hostname="127.0.0.1", port=arguments.port, **options)
controller.start()
print("ready", flush=True)
# Ended by whoever started it, or when they have gone.
sys.stdin.read()
controller.stop()
