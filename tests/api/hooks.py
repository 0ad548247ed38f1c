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


def fresh():
    return str(uuid.UUID(int=CHANCE.getrandbits(128), version=4))


def registration(address):
    return {
        "id": fresh(),
        "entity_name": "GYM NUEVO",
        "display_name": "Nadia Núñez",
        "email": address,
        "privacy_notice": "2026-11",
        **ACCEPTABLE,
    }


def registered(address):
    """A registration and its code, which stays right while the caja decides."""
    body = registration(address)
    post("/v1/accounts", body)
    return {"id": body["id"], "code": code_mailed_to(address)}


def waiting(address):
    """The id of a registration that waits for the caja."""
    confirmation = registered(address)
    answer = requests.post(f"{URL}/v1/accounts/confirm", json=confirmation, timeout=WAIT_S)
    answer.raise_for_status()
    return confirmation["id"]


def console(method, path, **what):
    headers = {"Authorization": f"Bearer {CONSOLE['access_token']}", **what.pop("headers", {})}
    answer = requests.request(method, f"{URL}{path}", headers=headers, timeout=WAIT_S, **what)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def ended_import():
    """An import with a line that is wrong: it has rejected lines to read."""
    job = fresh()
    head = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;"
    head += "tipo_afiliado;nit_empresa;empresa;estado_empresa\n"
    console(
        "POST",
        f"/v1/admin/imports?id={job}&dry_run=true",
        data=f"{head}CC;3900000001;PÉREZ;;JUAN;;ACTIVO;X;TRABAJADOR;;;\n".encode(),
        headers={"Content-Type": "text/csv"},
    )
    until = time.monotonic() + WAIT_S
    while console("GET", f"/v1/admin/imports/{job}")["state"] in ("RECEIVING", "RUNNING"):
        if time.monotonic() > until:
            raise TimeoutError("the import does not end")
        time.sleep(0.1)
    return job


def forgotten():
    """A reset of a password; the very same one again is right again."""
    address = FORGETFUL["username"]
    post("/v1/password/forgot", {"email": address})
    return {"email": address, "code": code_mailed_to(address), "password": ACCEPTABLE["password"]}


def ids(path):
    """The ids in a list of the console, by what people call the thing."""
    items = console("GET", f"{path}?limit=500")["items"]
    return {item.get("username", item.get("name")): item["id"] for item in items}


# What a schema cannot say: a check digit, a number that is one, a password that is not guessed easily.
ACCEPTABLE = {"nit": "899999068-1", "phone": "3001234567", "password": "cuatro xilofonos"}
BRANCHES = branches(sign_in()["access_token"])
REGISTERED = registered(NEWCOMER)
FORGOTTEN = forgotten()
CHANGING_TOKEN = sign_in(CHANGING)["access_token"]
CONSOLE_DEVICE = {"id": str(uuid.uuid4()), "name": "CONSOLA"}
CONSOLE = sign_in(CAJA, CONSOLE_DEVICE)
LOST_DEVICE = {"id": str(uuid.uuid4()), "name": "PERDIDO"}
sign_in(OTHER, LOST_DEVICE)

# An entity of its own with an administrator, who asks for CONVENIOS and has somebody to manage.
ADMINISTRATOR = {"username": "eva@gym-de-eva.co", "password": ACCEPTABLE["password"]}
console("POST", f"/v1/admin/registrations/{waiting(ADMINISTRATOR['username'])}/approve")
ADMINISTRATORS_DEVICE = {"id": str(uuid.uuid4()), "name": "GERENCIA"}
ADMINISTRATORS_TOKEN = sign_in(ADMINISTRATOR, ADMINISTRATORS_DEVICE)["access_token"]
OF_ADMINISTRATOR = {"Authorization": f"Bearer {ADMINISTRATORS_TOKEN}"}
ENTITY = ids("/v1/admin/entities")["GYM NUEVO"]
BRANCH = {"id": fresh(), "name": "Sede Norte", "city": "Barranquilla"}
console("POST", f"/v1/admin/entities/{ENTITY}/branches", json=BRANCH)
TERMS = {
    "name": "Gimnasio",
    "first_day": "2026-01-01",
    "last_day": "2026-12-31",
    "tariffs": ["A", "B"],
    "roles": ["TRABAJADOR"],
    "daily_limit": 1,
    "over_limit": "NOTE",
    "validity_h": 24,
    "void_window_min": 60,
    "offline_days_max": 7,
    "retention_days": 30,
}
AGREEMENT = {"id": fresh(), "terms": TERMS, "branches": [BRANCH["id"]]}
console("POST", f"/v1/admin/entities/{ENTITY}/agreements", json=AGREEMENT)
PDF = b"%PDF-1.7\n"
ATTACHMENT = fresh()
requests.put(
    f"{URL}/v1/attachments/{ATTACHMENT}",
    data=PDF,
    headers={**OF_ADMINISTRATOR, "Content-Type": "application/pdf", "X-File-Name": "camara.pdf"},
    timeout=WAIT_S,
).raise_for_status()
REQUEST = {
    "id": fresh(),
    "application": "CONVENIOS",
    "content": {
        "contact_name": "Eva Sosa",
        "contact_email": ADMINISTRATOR["username"],
        "contact_phone": "3001234567",
        "benefit": "20 % de descuento",
        "branches": [{"name": "Sede Norte", "city": "Barranquilla", "address": "Calle 1"}],
        "attachment_id": ATTACHMENT,
    },
}
INVITED = {
    "id": fresh(),
    "display_name": "Luis Peñaranda",
    "email": "luis@gym-de-eva.co",
    "roles": ["OPERATOR"],
    "branches": [BRANCH["id"]],
}
for path, body in [("/v1/application-requests", REQUEST), ("/v1/entity/users", INVITED)]:
    requests.post(f"{URL}{path}", json=body, headers=OF_ADMINISTRATOR, timeout=WAIT_S).raise_for_status()
# A report of ours: the same one is answered again, and its code is genuine.
RANGE = {"from": "2026-06-01T00:00:00Z", "to": "2027-06-01T00:00:00Z"}
NEW_REPORT = {"id": fresh(), **RANGE, "branch_id": None}


def report_code():
    of_operator = {"Authorization": f"Bearer {sign_in()['access_token']}"}
    answer = requests.post(f"{URL}/v1/report-codes", json=NEW_REPORT, headers=of_operator, timeout=WAIT_S)
    answer.raise_for_status()
    return answer.json()["code"]


CODE = report_code()
# Whose administrator the calls about application requests, files and users of an entity come from.
ADMINISTRATORS = ("/v1/application-requests", "/v1/attachments/", "/v1/entity/")

# What stands in a path, and may be changed, suspended and revoked without ending what we do here.
KNOWN_IDS = {
    "/v1/admin/agreements/": AGREEMENT["id"],
    "/v1/admin/application-requests/": REQUEST["id"],
    "/v1/admin/branches/": BRANCH["id"],
    "/v1/admin/devices/": LOST_DEVICE["id"],
    "/v1/admin/entities/": ENTITY,
    "/v1/admin/imports/": ended_import(),
    "/v1/admin/registrations/": waiting("otra@gym-nuevo.co"),
    "/v1/admin/users/": ids("/v1/admin/users")[NAMED],
    "/v1/application-requests/": REQUEST["id"],
    "/v1/attachments/": ATTACHMENT,
    "/v1/entity/users/": INVITED["id"],
}


# A file is the text it would be, byte by byte.
@schemathesis.deserializer("application/pdf", "image/jpeg", "image/png")
def file(context, response):
    return response.content.decode("latin-1")


@schemathesis.serializer("application/pdf", "image/jpeg", "image/png")
def content(context, value):
    return str(value).encode()


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
        elif case.path.startswith(ADMINISTRATORS):
            token = ADMINISTRATORS_TOKEN
        else:
            # Signing out ends a session: it gets one of its own.
            token = sign_in()["access_token"] if case.path == "/v1/sessions/current" else data["operator"]
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    for start, known in KNOWN_IDS.items():
        # What was found in an answer might be our own PC or account. What was made just now stays what is asked about.
        named = (case.path_parameters or {}).get("id")
        if case.path.startswith(start) and is_id(named) and named != known:
            case.path_parameters = {"id": known if CHANCE.random() < 0.8 else fresh()}
    if not is_valid(case):
        return
    if case.path.startswith("/v1/verify/") and CHANCE.random() < 0.5:
        # A schema cannot say which letter checks the others.
        case.path_parameters = {"code": CODE}
    if case.path.startswith("/v1/usage-reports") and CHANCE.random() < 0.8:
        # A schema cannot say that one is before the other, nor which cursors there are.
        page = {"limit": CHANCE.randint(1, 500)} if case.path == "/v1/usage-reports" else {}
        case.query = {**RANGE, **page}
    if case.path.startswith(("/v1/admin/", *ADMINISTRATORS)) and isinstance(case.query, dict):
        # Which cursors there are, a schema cannot say.
        case.query = {name: value for name, value in case.query.items() if name != "after"}
    if case.path.startswith("/v1/attachments/") and CHANCE.random() < 0.75:
        case.media_type, case.body = "application/pdf", PDF.decode()
        case.headers = {**(case.headers or {}), "X-File-Name": "camara.pdf", "Content-Type": "application/pdf"}
    body = case.body
    if not isinstance(body, dict):
        return
    case.body = body = whole(body)
    if body.get("username") == ACCOUNT["username"]:
        # What is guessed at here must not slow down our own signing in.
        case.body = body = {**body, "username": OTHER["username"]}
    if case.path == "/v1/password":
        case.body = {"current": CHANGING["password"], "password": CHANGING["password"]}
    elif CHANCE.random() < 0.75:
        case.body = KNOWN[case.path]() if case.path in KNOWN else with_known_ids(body, case.path)


def address():
    """Each its own: one address may not ask again and again."""
    return f"{fresh()}@gym-nuevo.co"


# What is right the second time too, and what a schema cannot say enough about.
KNOWN = {
    "/v1/accounts": lambda: registration(address()),
    "/v1/accounts/confirm": lambda: REGISTERED,
    "/v1/password/reset": lambda: FORGOTTEN,
    "/v1/application-requests": lambda: REQUEST,
    "/v1/report-codes": lambda: NEW_REPORT,
    "/v1/admin/entities": lambda: {"id": fresh(), "nit": ACCEPTABLE["nit"], "name": "GYM NUEVO"},
    "/v1/entity/users": lambda: {**INVITED, "id": fresh(), "email": address()},
    "/v1/admin/users": lambda: {
        "id": fresh(),
        "entity_id": None,
        "display_name": "Nadia Núñez",
        "email": address(),
        "roles": ["CAJA_ADMIN"],
        "branches": [],
    },
}


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE


def is_id(text):
    try:
        return uuid.UUID(str(text)) is not None
    except ValueError:
        return False


def whole(thing):
    """JSON has one kind of number; 1.0 is written as the 1 it is."""
    if isinstance(thing, dict):
        return {name: whole(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [whole(value) for value in thing]
    return int(thing) if isinstance(thing, float) and thing.is_integer() else thing


def with_known_ids(body, path):
    body = {name: ACCEPTABLE.get(name, value) for name, value in body.items()}
    if "email" in body:
        body["email"] = address()
    if "username" in body:
        # Nobody of the demo who is signed in with here has a second factor.
        body.pop("otp", None)
        body |= {"username": OTHER["username"], "password": OTHER["password"]}
    if "branch_id" in body:
        body["branch_id"] = CHANCE.choice(BRANCHES)
    if body.get("branches") and all(is_id(branch) for branch in body["branches"]):
        body["branches"] = [BRANCH["id"]]
    if "revision" in body:
        body["revision"] = 1
    if "terms" in body:
        body["terms"] = TERMS
    if "agreement" in body:
        body["agreement"] = TERMS
    if isinstance(body.get("content"), dict):
        body["content"] = REQUEST["content"]
    if "document" in body:
        body["document"] = known_document()
    if "regulars" in body:
        body["regulars"] = [{**regular, **question()} for regular in body["regulars"]]
    if path == "/v1/lookups":
        # About somebody else under the same id is a conflict, so each has its own.
        body["id"] = fresh()
    if path.startswith("/v1/admin/audit/"):
        body.pop("after", None)
    return body


def question():
    """About somebody else under the same id is a conflict, so each has its own."""
    return {"id": fresh(), "document": known_document()}


def known_document():
    kind = CHANCE.choice(["active", "inactive", "not_registered"])
    return {"kind": "CC", "number": CHANCE.choice(DEMO["documents"][kind])}
