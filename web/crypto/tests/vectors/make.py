"""The formats of the crate a second time, as its modules describe them, on other libraries: `python3 make.py > vectors.txt`.

Needs the package `cryptography` (44 or later). Each line is a name and a value; `tests/sealing/vectors.rs` holds them against the crate.
"""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ANN, BEN, ROOM = bytes([1] * 16), bytes([2] * 16), bytes([9] * 16)
MASTER, SALT, UNLOCKER = bytes([3] * 32), bytes([0x5A] * 32), bytes([0x77] * 16)
CHUNK = 256 << 10


def label(name):
    return b"WebCall 1 " + name + b"\0"


def sha256(data):
    return hashlib.sha256(data).digest()


def derive(purpose, salt, secret, context, length):
    return HKDF(hashes.SHA256(), length, salt, label(purpose) + context).derive(secret)


def signing(seed):
    return Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def envelope():
    epoch, message, content = struct.pack(">Q", 6), struct.pack(">QQ", 0, 77), "héllo".encode()
    both = derive(b"message key", b"", epoch + bytes([5] * 24), ANN + message, 64)
    body = b"\1" + struct.pack(">Q", 1000) + bytes(32) + bytes([7] * 32) + struct.pack(">Q", 5) + bytes([8] * 32)
    body += struct.pack(">H", len(content)) + content
    padded = 64
    while padded < len(body) + 64 + 1:
        padded *= 2
    header = b"\1\1" + ROOM + epoch + struct.pack(">I", 3) + ANN + message + both[32:] + struct.pack(">I", padded + 16)
    signature = signing(51).sign(label(b"message") + header + sha256(body))
    plaintext = (body + signature + b"\x80").ljust(padded, b"\0")
    return header + AESGCM(both[:32]).encrypt(bytes(12), plaintext, header)


def padme(length):
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def file(content):
    padded = content.ljust(padme(max(len(content), 256)), b"\0")
    chunks = [padded[at : at + CHUNK] for at in range(0, len(padded), CHUNK)]
    nonce = lambda at: bytes(7) + struct.pack(">I?", at, at == len(chunks) - 1)
    return [AESGCM(bytes([0xAB] * 32)).encrypt(nonce(at), chunk, label(b"file chunk")) for at, chunk in enumerate(chunks)]


def locked(key, purpose, context, plaintext):
    both = derive(purpose, SALT, key, context, 64)
    header = b"\1" + SALT + both[32:]
    return header + AESGCM(both[:32]).encrypt(bytes(12), plaintext, header + context)


def segment():
    version = struct.pack(">Q", 4)
    keys = b"".join(struct.pack(">Q", 2048 + nth) + bytes([nth] * 32) for nth in (1, 2))
    return version + locked(MASTER, b"archive segment", ANN + ROOM + struct.pack(">Q", 2) + version, keys)


def unlocker(way, purpose, secret):
    key = derive(purpose, b"", secret, ANN + UNLOCKER, 32)
    sealed = locked(key, b"unlocker", ANN + UNLOCKER + sha256(way), MASTER)
    proof = derive(b"unlocker proof", b"", MASTER, ANN + UNLOCKER + sha256(way) + sha256(sealed), 32)
    return b"\1" + UNLOCKER + way + bytes([len(sealed)]) + sealed + proof


def by_passphrase():
    salt = bytes([0x33] * 16)
    stretched = Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=65536).derive(b"correct horse battery")
    return unlocker(b"\2" + struct.pack(">III", 65536, 3, 1) + salt, b"passphrase", stretched)


def by_passkey():
    credential = b"credential"
    way = b"\3" + struct.pack(">H", len(credential)) + credential + bytes([0x44] * 32)
    return unlocker(way, b"passkey", bytes([0x55] * 32))


def recovery_text(code):
    checksum = sha256(label(b"recovery checksum") + code)
    number = int.from_bytes(code, "big") << 12 | int.from_bytes(checksum[:2], "big") >> 4
    symbols = ["0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * (27 - at) & 31] for at in range(28)]
    return "-".join("".join(symbols[at : at + 4]) for at in range(0, 28, 4))


def fingerprint(user, identity):
    hashed = hashlib.sha512(label(b"fingerprint") + user + identity).digest()
    for _ in range(5199):
        hashed = hashlib.sha512(hashed + identity).digest()
    return hashed


def digits(hashed):
    return "".join(f"{int.from_bytes(hashed[at : at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5))


def main():
    people = [(ANN, public(signing(101))), (BEN, public(signing(102)))]
    prints = [fingerprint(*person) for person in people]
    two_chunks = bytes(at % 251 for at in range(CHUNK + 10))
    values = {
        "envelope": envelope(),
        "small_file": file(b"a small file")[0],
        "two_chunks_last": file(two_chunks)[1],
        "segment": segment(),
        "identity": locked(MASTER, b"identity key", ANN, bytes([101] * 32)),
        "by_recovery_code": unlocker(b"\1", b"recovery code", b"0123456789abcdef"),
        "by_passphrase": by_passphrase(),
        "by_passkey": by_passkey(),
        "qr": b"\1" + ANN + prints[0][:32] + BEN + prints[1][:32],
        "call_emoji": bytes(byte % 64 for byte in derive(b"call emoji", b"", bytes([1] * 32), b"", 6)),
    }
    for name, value in values.items():
        print(name, value.hex())
    print("recovery_text", recovery_text(b"0123456789abcdef"))
    print("safety_number", "".join(sorted(map(digits, prints))))
    print("safety_words", b"".join(sorted(bytes(byte % 64 for byte in each[30:40]) for each in prints)).hex())


main()
