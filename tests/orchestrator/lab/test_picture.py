"""Pictures of files from outside."""

from __future__ import annotations

from pathlib import Path

from orchestrator.lab.picture import picture, unlike


def test_a_picture_sees_content_mode_links_and_what_is_new_but_not_kahns_own_notes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib/kahn").mkdir(parents=True)
    for name in ("content", "mode", "link", "same"):
        (tmp_path / "etc" / name).write_text("a")
    before = picture(tmp_path)
    (tmp_path / "etc/content").write_text("b")
    (tmp_path / "etc/mode").chmod(0o600)
    (tmp_path / "etc/link").unlink()
    (tmp_path / "etc/link").symlink_to("same")
    (tmp_path / "etc/new\n").write_text("a")
    (tmp_path / "var/lib/kahn/note").write_text("a")
    assert unlike(before, picture(tmp_path)) == ["etc/content", "etc/link", "etc/mode", "etc/new\n"]
