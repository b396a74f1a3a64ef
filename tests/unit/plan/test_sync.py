import hashlib

from pyvstore.model.farm import (
    Directory,
    Edits,
    File,
    Image,
    Item,
    Link,
    Made,
    Seen,
    SeenDirectory,
    SeenFile,
    SeenLink,
    SeenOther,
)
from pyvstore.plan.sync import SyncPlan, looks_like_ours, plan_sync

SITE = "lib/python3.12/site-packages"
STORE = "/home/u/.local/share/pyvstore/v1/entries/six-1.17.0-0123456789ab/lib/python/site-packages"
IMAGE: Image = {
    "lib": Directory(),
    "lib/python3.12": Directory(),
    SITE: Directory(),
    f"{SITE}/six.py": Link(f"{STORE}/six.py"),
    f"{SITE}/six-1.17.0.dist-info": Directory(),
    f"{SITE}/six-1.17.0.dist-info/INSTALLER": File(b"pyvstore\n"),
    "etc": Directory(),
    "etc/six.conf": File(b"a = 1\n", edits=Edits.KEEP),
    "bin": Directory(),
    "bin/activate": File(b"activate", edits=Edits.KEEP_UNTIL_NEW),
}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made(image: Image) -> dict[str, Made]:
    def one(item: Item) -> Made:
        if isinstance(item, Link):
            return Made(target=item.target)
        return Made(sha256=sha(item.data)) if isinstance(item, File) else Made()

    return {path: one(item) for path, item in image.items()}


def seen(image: Image) -> dict[str, Seen]:
    def one(item: Item) -> Seen:
        if isinstance(item, Link):
            return SeenLink(item.target)
        return SeenFile(sha(item.data), item.executable) if isinstance(item, File) else SeenDirectory()

    return {path: one(item) for path, item in image.items()}


def plan(image: Image, there: dict[str, Seen], ours: dict[str, Made]) -> SyncPlan:
    return plan_sync(image, there, ours, site_packages=[SITE])


def test_nothing_there_means_making_everything() -> None:
    result = plan(IMAGE, {}, {})
    assert result.changes == len(IMAGE)
    assert not result.set_aside
    assert not result.remove


def test_a_farm_as_it_should_be_needs_nothing() -> None:
    assert plan(IMAGE, seen(IMAGE), made(IMAGE)).is_empty


def test_a_lost_state_costs_nothing_where_all_is_as_wanted() -> None:
    assert plan(IMAGE, seen(IMAGE), {}).is_empty


def test_what_is_no_longer_wanted_goes_deepest_directory_first() -> None:
    smaller = {path: item for path, item in IMAGE.items() if "six" not in path and not path.startswith("etc")}
    result = plan(smaller, seen(IMAGE), made(IMAGE))
    assert set(result.remove) == {f"{SITE}/six.py", f"{SITE}/six-1.17.0.dist-info/INSTALLER", "etc/six.conf"}
    assert result.remove_directories == (f"{SITE}/six-1.17.0.dist-info", "etc")
    assert not result.set_aside


def test_a_package_that_a_tool_put_in_our_place_is_set_aside_with_its_metadata() -> None:
    there = seen(IMAGE)
    there[f"{SITE}/six.py"] = SeenFile("", executable=False)
    there[f"{SITE}/six-1.16.0.dist-info"] = SeenDirectory()
    result = plan(IMAGE, there, made(IMAGE))
    assert set(result.set_aside) == {f"{SITE}/six.py", f"{SITE}/six-1.16.0.dist-info"}
    assert result.links == {f"{SITE}/six.py": f"{STORE}/six.py"}


def test_a_distribution_that_we_do_not_know_is_foreign_and_left_alone() -> None:
    there = seen(IMAGE)
    there[f"{SITE}/other"] = SeenDirectory()
    there[f"{SITE}/other-1.0.dist-info"] = SeenDirectory()
    there[f"{SITE}/__pycache__"] = SeenDirectory()
    result = plan(IMAGE, there, made(IMAGE))
    assert result.is_empty
    assert result.foreign == (f"{SITE}/other", f"{SITE}/other-1.0.dist-info")


def test_a_foreign_link_in_our_place_is_set_aside_and_an_old_one_of_ours_replaced() -> None:
    there = seen(IMAGE)
    there[f"{SITE}/six.py"] = SeenLink("/somewhere/else")
    assert plan(IMAGE, there, made(IMAGE)).set_aside == (f"{SITE}/six.py",)
    there[f"{SITE}/six.py"] = SeenLink(STORE.replace("/home/u", "/mnt/old") + "/six.py")
    result = plan(IMAGE, there, {})
    assert not result.set_aside
    assert result.links == {f"{SITE}/six.py": f"{STORE}/six.py"}


def test_an_edited_configuration_file_stays_as_the_user_left_it() -> None:
    there = seen(IMAGE)
    there["etc/six.conf"] = SeenFile(sha(b"a = 2\n"), executable=False)
    result = plan(IMAGE, there, made(IMAGE))
    assert result.is_empty
    assert result.kept == ("etc/six.conf",)


def test_an_edited_activation_script_stays_until_we_would_write_another() -> None:
    there = seen(IMAGE)
    there["bin/activate"] = SeenFile(sha(b"edited"), executable=False)
    assert plan(IMAGE, there, made(IMAGE)).is_empty
    moved = {**IMAGE, "bin/activate": File(b"activate elsewhere", edits=Edits.KEEP_UNTIL_NEW)}
    result = plan(moved, there, made(IMAGE))
    assert result.set_aside == ("bin/activate",)
    assert set(result.files) == {"bin/activate"}


def test_a_file_of_ours_that_changes_is_replaced_and_a_changed_one_is_set_aside() -> None:
    path = f"{SITE}/six-1.17.0.dist-info/INSTALLER"
    other = {**IMAGE, path: File(b"pyvstore 2\n")}
    assert not plan(other, seen(IMAGE), made(IMAGE)).set_aside
    there = {**seen(IMAGE), path: SeenFile(sha(b"pip\n"), executable=False)}
    assert plan(IMAGE, there, made(IMAGE)).set_aside == (path,)


def test_a_lost_execute_bit_is_mended_in_place() -> None:
    image: Image = {"bin": Directory(), "bin/tool": File(b"#!", executable=True)}
    there: dict[str, Seen] = {"bin": SeenDirectory(), "bin/tool": SeenFile(sha(b"#!"), executable=False)}
    result = plan(image, there, made(image))
    assert set(result.files) == {"bin/tool"}
    assert not result.set_aside


def test_a_link_that_becomes_a_directory_is_removed_first() -> None:
    before: Image = {SITE: Directory(), f"{SITE}/google": Link(f"{STORE}/google")}
    after: Image = {SITE: Directory(), f"{SITE}/google": Directory(), f"{SITE}/google/a": Link(f"{STORE}/google/a")}
    result = plan(after, seen(before), made(before))
    assert result.remove == (f"{SITE}/google",)
    assert result.make_directories == (f"{SITE}/google",)


def test_a_directory_of_ours_that_becomes_a_link_is_emptied_first() -> None:
    after: Image = {SITE: Directory(), f"{SITE}/google": Link(f"{STORE}/google")}
    before: Image = {SITE: Directory(), f"{SITE}/google": Directory(), f"{SITE}/google/a": Link(f"{STORE}/google/a")}
    result = plan(after, seen(before), made(before))
    assert result.remove == (f"{SITE}/google/a",)
    assert result.remove_directories == (f"{SITE}/google",)
    assert result.links == {f"{SITE}/google": f"{STORE}/google"}


def test_links_of_ours_that_nobody_wants_go_even_when_the_state_was_lost() -> None:
    there = {**seen(IMAGE), f"{SITE}/old": SeenLink(f"{STORE}/old"), f"{SITE}/mine": SeenLink("/home/u/mine")}
    result = plan(IMAGE, there, {})
    assert result.remove == (f"{SITE}/old",)
    assert result.foreign == (f"{SITE}/mine",)


def test_a_device_in_our_place_is_set_aside() -> None:
    there = {**seen(IMAGE), f"{SITE}/six.py": SeenOther()}
    assert plan(IMAGE, there, made(IMAGE)).set_aside == (f"{SITE}/six.py",)


def test_what_is_below_a_thing_set_aside_moves_with_it() -> None:
    after: Image = {SITE: Directory(), f"{SITE}/google": Link(f"{STORE}/google")}
    ours = {
        f"{SITE}/google": Made(target=f"{STORE}/google"),
        f"{SITE}/google/a": Made(target=f"{STORE}/a"),
        SITE: Made(),
    }
    there: dict[str, Seen] = {
        SITE: SeenDirectory(),
        f"{SITE}/google": SeenDirectory(),
        f"{SITE}/google/a": SeenLink(f"{STORE}/a"),
    }
    result = plan(after, there, ours)
    assert result.set_aside == (f"{SITE}/google",)
    assert result.remove == ()


def test_our_links_are_told_by_their_shape() -> None:
    assert looks_like_ours(f"{STORE}/six.py")
    assert looks_like_ours("/s/v1/records/six-1.17.0-0123456789ab.0123456789abcdef")
    assert not looks_like_ours("/s/v1/entries/other/six.py")
    assert not looks_like_ours("/usr/lib/python3/six.py")


def test_what_a_kill_left_half_written_goes() -> None:
    there = {**seen(IMAGE), f"{SITE}/.six.py.0a1b2c3d.pyvstore-tmp": SeenLink("/x")}
    assert plan(IMAGE, there, made(IMAGE)).remove == (f"{SITE}/.six.py.0a1b2c3d.pyvstore-tmp",)


def test_what_another_tool_says_in_metadata_of_ours_is_set_aside() -> None:
    there = {**seen(IMAGE), f"{SITE}/six-1.17.0.dist-info/REQUESTED": SeenFile("", executable=False)}
    result = plan(IMAGE, there, made(IMAGE))
    assert result.set_aside == (f"{SITE}/six-1.17.0.dist-info/REQUESTED",)
    assert result.foreign == ()


def test_metadata_that_is_no_longer_wanted_goes_whole_whoever_added_to_it() -> None:
    smaller = {path: item for path, item in IMAGE.items() if "six" not in path}
    there = {**seen(IMAGE), f"{SITE}/six-1.17.0.dist-info/REQUESTED": SeenFile("", executable=False)}
    result = plan(smaller, there, made(IMAGE))
    assert result.set_aside == (f"{SITE}/six-1.17.0.dist-info/REQUESTED",)
    assert f"{SITE}/six-1.17.0.dist-info" in result.remove_directories
