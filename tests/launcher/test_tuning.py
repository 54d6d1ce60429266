from app.launcher.tuning import machine_memory, render, server_settings

_GB = 1024**3


def test_shared_buffers_are_a_quarter_of_the_memory_up_to_a_gigabyte() -> None:
    assert server_settings(2 * _GB, durable=True)["shared_buffers"] == "512MB"
    assert server_settings(64 * _GB, durable=True)["shared_buffers"] == "1024MB"
    assert server_settings(_GB // 16, durable=True)["shared_buffers"] == "32MB"


def test_a_commit_is_durable_unless_tests_say_otherwise() -> None:
    durable = server_settings(_GB, durable=True)

    assert durable["fsync"] == durable["synchronous_commit"] == "on"
    assert "full_page_writes" not in durable
    assert server_settings(_GB, durable=False)["fsync"] == "off"


def test_the_operator_has_the_last_word() -> None:
    text = render({"jit": "off"})

    assert text.splitlines()[-2:] == ["jit = off", "include_if_exists = 'custom.conf'"]


def test_the_machine_has_memory() -> None:
    assert machine_memory() > 64 * 1024**2
