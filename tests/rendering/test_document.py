import pytest

from leadmagnet.rendering.document import BadDocument, Document, check_step, check_text, compose, parse


def changed(source: str, old: str, new: str) -> Document:
    assert old in source
    return parse(source.replace(old, new), "04.md")


def test_parse_takes_the_parts_apart(video: str) -> None:
    document = parse(video)
    assert document.front["number"] == 4
    assert list(document.sections) == ["Email", "Email as text", "Purpose", "Steps", "When to stop"]
    assert document.sections["Steps"] == "1. Kneel."


def test_what_a_browser_sends_is_read_the_same(video: str) -> None:
    assert parse("\ufeff" + video.replace("\n", "\r\n")) == parse(video)


@pytest.mark.parametrize(
    "document",
    [
        Document(
            {"title": 'A "quoted": {brace} – é', "n": 3, "dose": [{"amount": "5"}]}, {"": "first\n\nsecond", "A": "b"}
        ),
        Document({}, {}),
        Document({"a": "two\nlines\n"}, {"Empty": ""}),
    ],
)
def test_compose_is_read_back_equal(document: Document) -> None:
    assert parse(compose(document)) == document


def test_compose_is_read_back_equal_for_a_step(video: str) -> None:
    assert parse(compose(parse(video))) == parse(video)


@pytest.mark.parametrize("body", ["# a heading", "\nblank first", "blank last\n"])
def test_compose_refuses_what_would_be_read_differently(body: str) -> None:
    with pytest.raises(BadDocument, match="read as a heading"):
        compose(Document({}, {"A": body}))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("title: x", "x.md, line 1: the text must begin with a line of three dashes"),
        ("---\ntitle: x\n", "x.md, line 3: close the front matter"),
        ("---\na: 1\nsubject: Bird dog: reach\n---\n", "x.md, line 3: the front matter is not right: .*double quotes"),
        ("---\na: 1\na: 2\n---\n", "x.md, line 3: .*'a' stands here twice"),
        ("---\n- a\n---\n", "x.md, line 2: the front matter is made of lines like"),
        ("---\na: 1\n---\n# A\n\n# A\n", "x.md, line 6: the heading '# A' stands here a second time"),
        ("---\na: 1\n---\n#\n", "x.md, line 4: a heading has no words"),
    ],
)
def test_a_broken_form_is_named_with_its_line(source: str, sentence: str) -> None:
    with pytest.raises(BadDocument, match=sentence):
        parse(source, "x.md")


def test_yaml_makes_no_objects() -> None:
    with pytest.raises(BadDocument, match="the front matter is not right"):
        parse("---\na: !!python/object/apply:os.getcwd []\n---\n")


def test_a_good_step_passes(video: str) -> None:
    check_step(parse(video))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: video", "kind: film", "04.md, line 3: kind: 'film' is none of confirmation, already_subscribed, video"),
        ("kind: video", "kind: reminder", "a step of a sequence has kind: video or kind: finished"),
        ("delay: 3 days", "delay: soon", "line 4: a delay is written as '3 days'"),
        ("title: Bird dog\n", "", "04.md: the front matter needs words for title"),
        ('preheader: "Slow and wide."', "preheader:", "line 7: the front matter needs words for preheader"),
        ("number: 4", "number: four", "line 9: a video needs its place in the course, as in number: 4"),
        ("number: 4", "number: true", "a video needs its place"),
        ("media/email/4.png", "https://elsewhere.example/4.png", "line 10: email_poster is a PNG of ours"),
        ("media/email/4.png", "media/../../secret.png", "email_poster is a PNG of ours"),
        ("poster_alt", "other", "needs words for poster_alt"),
        ("# Purpose\n\nA quiet trunk.", "# Purpose", "the section '# Purpose' is missing or empty"),
        ("# When to stop", "# Other", "the section '# When to stop' is missing"),
        (
            "Hello{{comma_name}},\n\nOne",
            "Hello{{coma_name}},\n\nOne",
            r"line 15: \{\{coma_name\}\} in the section 'Email' has no meaning here. Did you mean \{\{comma_name\}\}\?",
        ),
        (
            "Slow and wide.",
            "{{quux}}",
            r"line 7: \{\{quux\}\} in 'preheader' has no meaning here. Known here: and_confirmed, ",
        ),
        ("Slow and wide.", "{{confirm_url}}", "has no meaning here"),
        ("A quiet trunk.", "A {{video_url}}.", r"in the section 'Purpose' has no meaning here"),
        ("Slow and wide.", "{{Comma_Name}}", r"'\{\{Comma_Name\}\}' in 'preheader' is no slot"),
        ("{{video_url}}\n", "", r"line 19: the section 'Email as text' needs \{\{video_url\}\}"),
    ],
)
def test_what_is_wrong_in_a_step_is_said_to_the_marketer(video: str, old: str, new: str, sentence: str) -> None:
    with pytest.raises(BadDocument, match=sentence):
        check_step(changed(video, old, new))


def test_a_message_is_no_step(video: str) -> None:
    with pytest.raises(
        BadDocument, match="a message has one of these kinds: confirmation, already_subscribed, reminder"
    ):
        check_text(parse(video))


def test_the_confirmation_has_no_name_in_it() -> None:
    head = '---\nslug: c\nkind: confirmation\nsubject: "S"\npreheader: "P"\nbutton: "B"\n---\n'
    check_text(parse(f"{head}# Email\n\nHello,\n\n# Email as text\n\n{{{{ confirm_url }}}}\n"))
    with pytest.raises(BadDocument, match="comma_name"):
        check_text(parse(f"{head}# Email\n\nHello{{{{comma_name}}}},\n\n# Email as text\n\n{{{{confirm_url}}}}\n"))


def test_a_reminder_names_the_state_it_fits() -> None:
    head = '---\nslug: r\nkind: reminder\nsubject: "S"\npreheader: "P"\nbutton: "B"\n---\n'
    with pytest.raises(BadDocument, match="needs words for state"):
        check_text(parse(f"{head}# Email\n\nHello\n\n# Email as text\n\n{{{{video_url}}}}\n"))
