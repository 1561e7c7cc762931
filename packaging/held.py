"""What a program for a target holds: the crates that are linked into it, and what the compiler adds. For sbom.py and third_party.py."""

import json
import os
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

# The compiler that builds the packages, see tests/real/cross.sh.
CARGO = "/usr/bin/cargo"
RUSTC = "/usr/bin/rustc"


@dataclass(frozen=True)
class Part:
    """A library in the program. `texts` are the files of its license, `needs` the references of what it is built on."""

    name: str
    version: str
    reference: str
    license: str
    description: str = ""
    repository: str = ""
    checksum: str = ""
    texts: tuple = ()
    needs: tuple = field(default=())


def parts(target):
    """The program itself, and all it holds, in one order."""
    environment = dict(os.environ, PATH=f"/usr/bin:{os.environ['PATH']}")
    metadata = json.loads(
        subprocess.run(
            [CARGO, "metadata", "--format-version", "1", "--locked", "--filter-platform", target],
            check=True,
            stdout=subprocess.PIPE,
            env=environment,
        ).stdout
    )
    with open("Cargo.lock", "rb") as file:
        checksums = {(crate["name"], crate["version"]): crate.get("checksum", "") for crate in tomllib.load(file)["package"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]

    held, open_ends = {}, [root]
    while open_ends:
        package = open_ends.pop()
        if package not in held:
            needs = linked(nodes[package], packages)
            held[package] = crate(packages[package], checksums, tuple(sorted(reference(packages[one]) for one in needs)))
            open_ends.extend(needs)
    program = held.pop(root)
    return program, sorted([*held.values(), *added(target)], key=lambda part: part.reference)


def linked(node, packages):
    """What is linked into the program: neither what tests need nor what only builds it."""
    return [
        dependency["pkg"]
        for dependency in node["deps"]
        if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        and not any("proc-macro" in one["kind"] for one in packages[dependency["pkg"]]["targets"])
    ]


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def crate(package, checksums, needs):
    folder = Path(package["manifest_path"]).parent
    texts = [path for path in folder.iterdir() if path.is_file() and path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"))]
    return Part(
        name=package["name"],
        version=package["version"],
        reference=reference(package),
        # Old crates write "MIT/Apache-2.0".
        license=(package.get("license") or "").replace("/", " OR "),
        description=" ".join((package.get("description") or "").split()),
        repository=package.get("repository") or "",
        checksum=checksums.get((package["name"], package["version"]), ""),
        texts=tuple(sorted(texts)),
        needs=needs,
    )


def added(target):
    """What no lock file of hsdiag names: Rust's standard library, and for a static program the C library and the unwinder."""
    rust = output(RUSTC, "--version").split()[1]
    yield Part("rust-std", rust, f"pkg:generic/rust-std@{rust}", "MIT OR Apache-2.0", "Rust's standard library", "https://github.com/rust-lang/rust")
    if target.endswith("-musl"):
        yield debian("musl", "musl-dev", "MIT", "C library", "https://git.musl-libc.org/cgit/musl")
        yield debian("libunwind", "libunwind-19-dev", "Apache-2.0 WITH LLVM-exception", "LLVM's unwinder", "https://github.com/llvm/llvm-project")


def debian(name, package, license, description, repository):
    version = output("dpkg-query", "-W", "-f", "${Version}", package)
    return Part(name, version, f"pkg:deb/debian/{package}@{version}", license, description, repository, texts=(Path(f"/usr/share/doc/{package}/copyright"),))


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
