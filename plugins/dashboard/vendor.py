"""Unpack the JavaScript packages into `static/vendor`, at pinned hashes: `nox -s vendor`, or `--check` to compare."""

import json
import subprocess
import sys
import tarfile
from base64 import b64encode
from hashlib import sha256, sha512
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
VENDOR = HERE / "src" / "tallystick_dashboard" / "static" / "vendor"
PINS: dict[str, dict[str, Any]] = json.loads((HERE / "vendor.json").read_text())


def unpacked(package: str, pin: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """Download a package with npm, check its hash, and return the files to keep, by their path in `vendor`."""
    command = ["npm", "pack", "--silent", f"{package}@{pin['version']}", f"--pack-destination={folder}"]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    data = (folder / name).read_bytes()
    found = f"sha512-{b64encode(sha512(data).digest()).decode()}"
    if found != pin["integrity"]:
        raise SystemExit(f"{package}: the tarball has the hash {found}; pinned is {pin['integrity']}")
    files: dict[str, bytes] = {}
    with tarfile.open(folder / name) as tar:
        for path, digest in pin["files"].items():
            member = tar.extractfile(f"package/{path}")
            assert member is not None
            content = member.read()
            if sha256(content).hexdigest() != digest:
                raise SystemExit(f"{package}: {path} has the hash {sha256(content).hexdigest()}; pinned is {digest}")
            files[f"{package}/{Path(path).name}"] = content
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or compare them with those in the tree."""
    wanted: dict[str, bytes] = {}
    with TemporaryDirectory() as folder:
        for package, pin in PINS.items():
            wanted |= unpacked(package, pin, Path(folder))
    if "--check" in arguments:
        present = {
            path.relative_to(VENDOR).as_posix(): path.read_bytes() for path in VENDOR.rglob("*") if path.is_file()
        }
        wrong = sorted(name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name))
        if wrong:
            print(f"these files differ from the pinned packages: {', '.join(wrong)}; run nox -s vendor")
        return bool(wrong)
    for name, content in wanted.items():
        path = VENDOR / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
