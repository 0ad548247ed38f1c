"""What schemathesis has to be told about Hanna: how to sign in, and which ids exist.

Some of the valid requests keep the ids schemathesis invents, most get those of the demo, so that what lies behind a sign-in and
a branch is reached as well.
"""

import email
import email.policy
import base64
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import struct
import time
import uuid

import requests
import schemathesis
from schemathesis import GenerationMode

URL = os.environ["HANNA_API_URL"]
DEMO = json.loads(os.environ["HANNA_API_DEMO"])
MAIL = pathlib.Path(os.environ["HANNA_API_MAIL"])
# Ours; one to sign in with wrong; one to change the password of; one that forgot it.
ACCOUNT, OTHER, CHANGING, FORGETFUL = DEMO["accounts"][:4]
OF_CAJA = [account for account in DEMO["accounts"] if account["roles"] == ["CAJA_ADMIN"]]
# One with a second factor, and one who may only set it up.
CAJA = next(account for account in OF_CAJA if "totp_secret" in account)
ENTERING = next(account for account in OF_CAJA if "totp_secret" not in account)
# Nobody signs in with it here: it may be suspended and lose its password.
NAMED = "rosa.ibanez@lapena.co"
NEWCOMER = "nadia@gym-nuevo.co"
DEVICE = {"id": str(uuid.UUID(int=0x01936D3E00007000800000000000A91)), "name": "SCHEMATHESIS"}
WAIT_S = 30
CHANCE = random.Random(1)


def post(path, body):
    answer = requests.post(f"{URL}{path}", json=body, timeout=WAIT_S)
    answer.raise_for_status()
    return answer.json()


def otp(account):
    """What the authenticator application of the account shows now (RFC 6238)."""
    key = base64.b32decode(account["totp_secret"])
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def sign_in(account=ACCOUNT, device=DEVICE):
    body = {"username": account["username"], "password": account["password"], "device": device}
    if "totp_secret" in account:
        body["otp"] = otp(account)
    answer = requests.post(f"{URL}/v1/sessions", json=body, timeout=WAIT_S)
    if answer.status_code == 422 and "otp" in body:
        # The code has served already: the next one comes within half a minute.
        time.sleep(31 - time.time() % 30)
        answer = requests.post(f"{URL}/v1/sessions", json={**body, "otp": otp(account)}, timeout=WAIT_S)
    answer.raise_for_status()
    return answer.json()


def refreshed(session, device=DEVICE):
    """A code serves once: whoever has a second factor goes on with the session they have."""
    return post("/v1/sessions/refresh", {"refresh_token": session["refresh_token"], "device_id": device["id"]})


def branches(token):
    answer = requests.get(f"{URL}/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=WAIT_S)
    answer.raise_for_status()
    return [branch["id"] for branch in answer.json()["branches"]]


def code_mailed_to(address):
    """The six digits of the mail that was written for an address."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        for file in MAIL.glob("*.eml"):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if mail["To"] and address in mail["To"]:
                return re.search(r"\b[0-9]{6}\b", mail.get_body(("plain",)).get_content()).group()
        time.sleep(0.1)
    raise TimeoutError(f"no mail for {address}")


def registered():
    """A registration and its code, which stays right while the caja decides."""
    body = {
        "id": str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)),
        "entity_name": "GYM NUEVO",
        "display_name": "Nadia Núñez",
        "email": NEWCOMER,
        "privacy_notice": "2026-11",
        **ACCEPTABLE,
    }
    post("/v1/accounts", body)
    return {"id": body["id"], "code": code_mailed_to(NEWCOMER)}


def forgotten():
    """A reset of a password; the very same one again is right again."""
    address = FORGETFUL["username"]
    post("/v1/password/forgot", {"email": address})
    return {"email": address, "code": code_mailed_to(address), "password": ACCEPTABLE["password"]}


def ids(path):
    """The ids in a list of the console, by what people call the thing."""
    headers = {"Authorization": f"Bearer {CONSOLE['access_token']}"}
    answer = requests.get(f"{URL}{path}?limit=500", headers=headers, timeout=WAIT_S)
    answer.raise_for_status()
    return {item.get("username", item.get("name")): item["id"] for item in answer.json()["items"]}


# What a schema cannot say: a check digit, a number that is one, a password that is not guessed easily.
ACCEPTABLE = {"nit": "899999068-1", "phone": "3001234567", "password": "cuatro xilofonos"}
BRANCHES = branches(sign_in()["access_token"])
REGISTERED = registered()
FORGOTTEN = forgotten()
CHANGING_TOKEN = sign_in(CHANGING)["access_token"]
CONSOLE_DEVICE = {"id": str(uuid.uuid4()), "name": "CONSOLA"}
CONSOLE = sign_in(CAJA, CONSOLE_DEVICE)
LOST_DEVICE = {"id": str(uuid.uuid4()), "name": "PERDIDO"}
sign_in(OTHER, LOST_DEVICE)
KNOWN_IDS = {
    "/v1/admin/users/": ids("/v1/admin/users")[NAMED],
    "/v1/admin/devices/": LOST_DEVICE["id"],
}


@schemathesis.auth(refresh_interval=300)
class Session:
    """Sessions that last as long as the run: an operator's, one of the caja, and one without its second factor."""

    def get(self, case, context):
        global CONSOLE
        CONSOLE = refreshed(CONSOLE, CONSOLE_DEVICE)
        return {
            "operator": sign_in()["access_token"],
            "caja": CONSOLE["access_token"],
            "entering": sign_in(ENTERING, CONSOLE_DEVICE)["access_token"],
        }

    def set(self, case, data, context):
        if case.path.startswith("/v1/admin/"):
            token = data["caja"]
        elif case.path.startswith("/v1/second-factor"):
            token = data["entering"]
        elif case.path == "/v1/password":
            # Wrong passwords slow the signing in of their account down.
            token = CHANGING_TOKEN
        else:
            # Signing out ends a session: it gets one of its own.
            token = sign_in()["access_token"] if case.path == "/v1/sessions/current" else data["operator"]
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not is_valid(case):
        return
    if case.path == "/v1/usage-reports" and CHANCE.random() < 0.8:
        # A schema cannot say that one is before the other, nor which cursors there are.
        case.query = {"from": "2026-06-01T00:00:00Z", "to": "2027-06-01T00:00:00Z", "limit": CHANCE.randint(1, 500)}
    for start, known in KNOWN_IDS.items():
        if case.path.startswith(start) and CHANCE.random() < 0.8:
            case.path_parameters = {"id": known}
    if case.path.startswith("/v1/admin/") and isinstance(case.query, dict):
        # Which cursors there are, a schema cannot say.
        case.query = {name: value for name, value in case.query.items() if name != "after"}
    if not isinstance(body, dict):
        return
    if body.get("username") == ACCOUNT["username"]:
        # What is guessed at here must not slow down our own signing in.
        case.body = body = {**body, "username": OTHER["username"]}
    if case.path == "/v1/password":
        case.body = {"current": CHANGING["password"], "password": CHANGING["password"]}
    elif CHANCE.random() < 0.75:
        case.body = KNOWN[case.path] if case.path in KNOWN else with_known_ids(body)


# What is right the second time too.
KNOWN = {"/v1/accounts/confirm": REGISTERED, "/v1/password/reset": FORGOTTEN}


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE


def with_known_ids(body):
    body = dict(body)
    if "nit" in body:
        body |= ACCEPTABLE
    if "otp" in body:
        # Nobody of the demo who is signed in with here has a second factor.
        body.pop("otp")
    if "email" in body:
        # Each its own: one address may not ask again and again.
        body["email"] = f"{uuid.UUID(int=CHANCE.getrandbits(128), version=4)}@gym-nuevo.co"
    if "username" in body:
        body |= {"username": OTHER["username"], "password": OTHER["password"]}
    if "branch_id" in body:
        body["branch_id"] = CHANCE.choice(BRANCHES)
    if "document" in body:
        body |= question()
    if "regulars" in body:
        body["regulars"] = [{**regular, **question()} for regular in body["regulars"]]
    return body


def question():
    """About somebody else under the same id is a conflict, so each has its own."""
    return {"id": str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)), "document": known_document()}


def known_document():
    kind = CHANCE.choice(["active", "inactive", "not_registered"])
    return {"kind": "CC", "number": CHANCE.choice(DEMO["documents"][kind])}
