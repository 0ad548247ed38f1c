"""What schemathesis has to be told about Hanna: how to sign in, and which ids exist.

Some of the valid requests keep the ids schemathesis invents, most get those of the demo, so that what lies behind a sign-in and
a branch is reached as well.
"""

import email
import email.policy
import json
import os
import pathlib
import random
import re
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
NEWCOMER = "nadia@gym-nuevo.co"
DEVICE = {"id": str(uuid.UUID(int=0x01936D3E00007000800000000000A91)), "name": "SCHEMATHESIS"}
WAIT_S = 30
CHANCE = random.Random(1)


def post(path, body):
    answer = requests.post(f"{URL}{path}", json=body, timeout=WAIT_S)
    answer.raise_for_status()
    return answer.json()


def sign_in(account=ACCOUNT):
    body = {"username": account["username"], "password": account["password"], "device": DEVICE}
    return post("/v1/sessions", body)["access_token"]


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


# What a schema cannot say: a check digit, a number that is one, a password that is not guessed easily.
ACCEPTABLE = {"nit": "899999068-1", "phone": "3001234567", "password": "cuatro xilofonos"}
BRANCHES = branches(sign_in())
REGISTERED = registered()
FORGOTTEN = forgotten()
CHANGING_TOKEN = sign_in(CHANGING)


@schemathesis.auth(refresh_interval=300)
class Session:
    """A session that lasts as long as the run."""

    def get(self, case, context):
        return sign_in()

    def set(self, case, data, context):
        token = data
        if case.method.upper() == "DELETE":
            # Signing out ends a session: it gets one of its own.
            token = sign_in()
        elif case.path == "/v1/password":
            # Wrong passwords slow the signing in of their account down.
            token = CHANGING_TOKEN
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not is_valid(case):
        return
    if case.path == "/v1/usage-reports" and CHANCE.random() < 0.8:
        # A schema cannot say that one is before the other, nor which cursors there are.
        case.query = {"from": "2026-06-01T00:00:00Z", "to": "2027-06-01T00:00:00Z", "limit": CHANCE.randint(1, 500)}
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
