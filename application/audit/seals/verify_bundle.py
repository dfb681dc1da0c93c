# fmt: off
"""Checks an audit bundle, offline:  python verify_bundle.py BUNDLE.zip [PUBLIC-KEY]   (needs: pip install cryptography)
PUBLIC-KEY: the line "pay-and-submit/log/..." that you got in another way than with the bundle. Exit code 0: all is as
it was signed; 1: the first thing that is not is named. Formats: RFC 9162, C2SP tlog-checkpoint and signed-note."""
# mypy: ignore-errors
# ruff: noqa: E701, I001, T201 - one page, and it speaks to people
import json, struct, sys, zipfile  # noqa: E401
from base64 import b64decode
from hashlib import sha256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
def need(fine, problem):
    if not fine: raise ValueError(problem)
def leaf(event):
    position, version = (struct.pack(">q", event[name]) for name in ("position", "version"))
    columns = position, event["stream_id"].encode(), version, event["topic"].encode(), b64decode(event["state"])
    return sha256(b"\0" + b"".join(struct.pack(">I", len(c)) + c for c in columns)).digest()
def climb(first, last, node, path):  # RFC 9162, 2.1.3.2 and 2.1.4.2: the roots of the old tree and of the new one
    old = new = node
    for sibling in path:
        need(last > 0, "a proof is too long")
        if first & 1 or first == last:
            old, new = (sha256(b"\1" + sibling + node).digest() for node in (old, new))
            while first and not first & 1: first, last = first >> 1, last >> 1
        else: new = sha256(b"\1" + new + sibling).digest()
        first, last = first >> 1, last >> 1
    need(last == 0, "a proof is too short")
    return old, new
def opened(note, key):  # the size and the root of a signed checkpoint
    (name, key_id, encoded), (text, signed) = key.strip().split("+", 2), note.split("\n\n— ")
    signature, lines = b64decode(signed.split(" ")[1]), text.split("\n")
    need(lines[0] == name == signed.split(" ")[0] and signature[:4].hex() == key_id, "a checkpoint is of another key")
    Ed25519PublicKey.from_public_bytes(b64decode(encoded)[1:]).verify(signature[4:], f"{text}\n".encode())
    return int(lines[1]), b64decode(lines[2])
def extends(size, root, new_size, new_root, path):  # RFC 9162, 2.1.4.2
    first, last = size - 1, new_size - 1
    while first & 1 and size < new_size: first, last = first >> 1, last >> 1
    return root == new_root if size == new_size else climb(first, last, path[0], path[1:]) == (root, new_root)
def check(bundle, known_key):
    manifest, key = json.loads(bundle.read("manifest.json")), bundle.read("public-key.txt").decode().strip()
    need({*bundle.namelist()} == {*manifest["parts"], "manifest.json"}, "parts are missing or too many")
    for name, part in manifest["parts"].items():
        need(sha256(bundle.read(name)).hexdigest() == part["sha256"], f"{name} is not what the manifest says")
    need(known_key in (None, key), "the public key is not the one that you know")
    (size, root), latest = (opened(bundle.read(f"{name}.txt").decode(), key) for name in ("sealed", "latest"))
    proof = [root] * (not size & size - 1) + [b64decode(item) for item in json.loads(bundle.read("consistency.json"))]
    need(extends(size, root, *latest, proof), "latest.txt does not extend sealed.txt")
    before, versions, order = -1, 0, manifest["order"]  # of one order: its versions; else a span: every event in it
    for count, event in enumerate(map(json.loads, bundle.open("events.jsonl")), 1):
        _, found = climb(event["index"], size - 1, leaf(event), map(b64decode, event["proof"]))
        need(found == root, f"the event at position {event['position']} is not what was sealed")
        need(json.loads(b64decode(event["state"])) == event["decoded"], f"position {event['position']}, decoded")
        need(before < event["index"] if order else before in (-1, event["index"] - 1), f"events are missing at {count}")
        before, versions = event["index"], versions + (event["stream_id"] == order)
        need(event["stream_id"] != order or event["version"] == versions, f"version {versions} of the order is missing")
    need(count == manifest["events"] and (versions or not order), "events are missing at the end")
    whole = f"order {order} up to its version {versions}" if order else "a span without a gap"
    print(f"fine: {manifest['what']}: {count} events, {whole}, are as they were signed, of {latest[0]} now; key: {key}")
if __name__ == "__main__":
    try: check(zipfile.ZipFile(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    except Exception as wrong: sys.exit(f"WRONG: {str(wrong) or type(wrong).__name__}")
