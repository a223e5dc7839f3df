"""Which modules are found, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskengine.demo.source import MAX_FILE_BYTES, find
from taskengine.errors import InvalidInputError


def names(path: Path) -> list[str]:
    return [module.name for module in find(path).modules]


def problems(path: Path) -> dict[str, str | None]:
    return {module.path: module.problem for module in find(path).modules}


def test_a_module_is_named_as_an_import_writes_it(write_code):
    code = write_code(
        {
            "shop/__init__.py": "",
            "shop/cart.py": "",
            "shop/pay/__init__.py": "",
            "shop/pay/card.py": "",
            "space/inner/thing.py": "",
            "script.py": "",
        }
    )
    assert names(code) == ["script", "shop", "shop.cart", "shop.pay", "shop.pay.card", "space.inner.thing"]


def test_src_folders_and_project_folders_start_names(write_code):
    code = write_code(
        {
            "src/shop/__init__.py": "",
            "src/shop/cart.py": "",
            "tests/test_cart.py": "",
            "libs/one/pyproject.toml": "",
            "libs/one/one/__init__.py": "",
            "libs/two/setup.py": "",
            "libs/two/src/two/core.py": "",
        }
    )
    assert names(code) == ["one", "setup", "shop", "shop.cart", "tests.test_cart", "two.core"]


def test_a_src_folder_that_is_a_package_is_part_of_the_name(write_code):
    assert names(write_code({"src/__init__.py": "", "src/a.py": ""})) == ["src", "src.a"]


def test_a_package_given_by_its_folder_keeps_its_full_name(write_code):
    code = write_code({"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "", "a/other.py": ""})
    found = find(code / "a" / "b")
    assert (found.root, found.top) == (code, code / "a" / "b")
    assert [(module.name, module.path) for module in found.modules] == [
        ("a.b", "a/b/__init__.py"),
        ("a.b.c", "a/b/c.py"),
    ]


def test_a_single_file_is_a_code_base(write_code):
    code = write_code({"a/__init__.py": "", "a/b.py": ""})
    assert names(code / "a" / "b.py") == ["a.b"]


def test_folders_of_others_are_skipped(write_code):
    skipped = (
        ".venv/lib/x.py",
        ".hidden/x.py",
        "node_modules/x.py",
        "pkg/__pycache__/x.py",
        "env/lib/x.py",
        "env/pyvenv.cfg",
        "build/lib/x.py",
        "dist/x.py",
        "x.egg-info/x.py",
        "lib/site-packages/x.py",
    )
    assert names(write_code({**dict.fromkeys(skipped, ""), "pkg/a.py": ""})) == ["pkg.a"]


def test_a_package_called_build_is_no_build_folder(write_code):
    assert names(write_code({"build/__init__.py": "", "build/a.py": ""})) == ["build", "build.a"]


def test_a_folder_that_would_be_skipped_is_searched_when_it_is_what_was_asked_for(write_code):
    assert names(write_code({"x/site-packages/a/__init__.py": ""}) / "x" / "site-packages") == ["a"]


def test_an_executable_with_a_python_shebang_is_a_module(write_code):
    code = write_code({"bin/tool": "#!/usr/bin/env python3\n", "bin/other": "#!/bin/sh\n", "bin/plain": "x"})
    for name in ("tool", "other"):
        (code / "bin" / name).chmod(0o755)
    assert names(code) == ["bin.tool"]


def test_links_to_folders_are_not_entered_and_links_to_files_are_modules(write_code):
    code = write_code({"a/__init__.py": "", "a/b.py": ""})
    (code / "a" / "loop").symlink_to(code)
    (code / "a" / "folder.py").symlink_to(code)
    (code / "linked.py").symlink_to(code / "a" / "b.py")
    assert names(code) == ["a", "a.b", "linked"]


def test_what_can_not_be_read_is_kept_with_its_reason(write_code):
    code = write_code({"large.py": b"#" * (MAX_FILE_BYTES + 1), "full.py": b"#" * MAX_FILE_BYTES})
    (code / "gone.py").symlink_to(code / "nowhere")
    (code / "circle.py").symlink_to(code / "circle.py")
    os.mkfifo(code / "pipe.py")
    (Path(os.fsdecode(os.fsencode(code) + b"/\xff.py"))).write_text("")
    found = problems(code)
    assert found["full.py"] is None
    assert (
        found["large.py"] == f"too large: {MAX_FILE_BYTES + 1} bytes, read are files up to {MAX_FILE_BYTES}"
    )
    assert found["gone.py"] == "unreadable: No such file or directory"
    assert found["circle.py"] == "unreadable: Too many levels of symbolic links"
    assert found["pipe.py"] == "not a regular file"
    assert found["\\udcff.py"] == "its name is not UTF-8"


def test_a_folder_that_can_not_be_listed_is_named(write_code, monkeypatch):
    code = write_code({"a.py": "", "closed/b.py": ""})
    listing = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root, who may run this, is refused nothing
    found = find(code)
    assert ([module.name for module in found.modules], found.unlisted) == (
        ["a"],
        (("closed", "Permission denied"),),
    )


def test_files_with_one_name_are_all_kept_and_an_import_finds_the_package(write_code):
    code = write_code({"a.py": "", "a/__init__.py": "", "src/a.py": ""})
    found = {module.name: module.path for module in find(code).modules}
    assert found == {"a": "a/__init__.py", "a@a.py": "a.py", "a@src/a.py": "src/a.py"}


@pytest.mark.parametrize("path", ["nowhere", "empty", "\0", "circle"])
def test_a_path_without_python_is_refused_by_field(tmp_path, path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(
        InvalidInputError, match=r"^path: .*; name a folder or file with Python code"
    ) as caught:
        find(tmp_path / path)
    assert caught.value.field == "path"
