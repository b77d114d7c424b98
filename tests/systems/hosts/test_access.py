"""What commands on this machine leave behind."""

import psutil
import pytest

from runbooks.engine.errors import SystemFault
from runbooks.systems.hosts.access import Here


@pytest.mark.parametrize("parent", ["wait", "exit 0"], ids=["it waits", "it is gone"])
def test_a_command_that_is_given_up_leaves_no_pipe_open_though_its_child_lives_on(parent: str) -> None:
    before = psutil.Process().num_fds()

    with pytest.raises(SystemFault, match="did not end") as caught:
        Here().send(["sh", "-c", f"setsid sleep 4 & {parent}"], [], seconds=0.2)

    assert caught.value.__cause__ is not None  # the frame that holds the process is still there
    assert psutil.Process().num_fds() == before
