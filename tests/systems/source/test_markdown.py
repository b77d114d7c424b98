"""What a document names."""

from __future__ import annotations

from runbooks.systems.source.markdown import Mention, parse

TEXT = """\
# Set up, and go!

See [the guide](docs/GUIDE.md#set-up) and
`app/main.py`, or <https://example.org>.

    pip install -r requirements.txt

```sh
$ alembic upgrade head
```

```json
{"not": "a command"}
```

| variable | meaning |
| --- | --- |
| `HOST`, `PORT` | where, like `localhost` |

## Again
## Again
<a id="by-hand"></a>
![A picture](images/a.png)
"""


def test_links_and_images_with_their_lines() -> None:
    assert [(link.text, link.line) for link in parse(TEXT).links] == [
        ("docs/GUIDE.md#set-up", 3),
        ("https://example.org", 4),
        ("images/a.png", 23),
    ]


def test_code_between_backticks_with_its_line() -> None:
    assert parse(TEXT).codes[0] == Mention("app/main.py", 4)


def test_commands_are_what_is_not_marked_as_something_else() -> None:
    assert parse(TEXT).commands == (Mention("pip install -r requirements.txt", 6), Mention("alembic upgrade head", 9))


def test_rows_are_known_by_their_first_cell() -> None:
    assert [row.text for row in parse(TEXT).rows] == ["HOST", "PORT"]


def test_anchors_are_made_as_the_hosting_site_does() -> None:
    assert parse(TEXT).anchors == {"set-up-and-go", "again", "again-1", "by-hand"}
