"""What schemathesis has to be told about Hanna: how to sign in, and which ids exist.

Half of the valid requests keep the ids schemathesis invents, the other half get those of the demo, so that what lies behind a
sign-in and a branch is reached as well.
"""

import json
import os
import random
import uuid

import requests
import schemathesis
from schemathesis import GenerationMode

URL = os.environ["HANNA_API_URL"]
DEMO = json.loads(os.environ["HANNA_API_DEMO"])
ACCOUNT, OTHER = DEMO["accounts"][:2]
DEVICE = {"id": str(uuid.UUID(int=0x01936D3E00007000800000000000A91)), "name": "SCHEMATHESIS"}
WAIT_S = 30
CHANCE = random.Random(1)


def sign_in():
    answer = requests.post(
        f"{URL}/v1/sessions",
        json={"username": ACCOUNT["username"], "password": ACCOUNT["password"], "device": DEVICE},
        timeout=WAIT_S,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


def branches(token):
    answer = requests.get(f"{URL}/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=WAIT_S)
    answer.raise_for_status()
    return [branch["id"] for branch in answer.json()["branches"]]


BRANCHES = branches(sign_in())


@schemathesis.auth(refresh_interval=300)
class Session:
    """A session that lasts as long as the run."""

    def get(self, case, context):
        return sign_in()

    def set(self, case, data, context):
        # Signing out ends a session: it gets one of its own.
        token = sign_in() if case.method.upper() == "DELETE" else data
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
    if CHANCE.random() < 0.5:
        case.body = with_known_ids(body)


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE


def with_known_ids(body):
    body = dict(body)
    if "nit" in body:
        body |= {"nit": "899999068-1", "phone": "3001234567", "password": "cuatro xilofonos"}
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
