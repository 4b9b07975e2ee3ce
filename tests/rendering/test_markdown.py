import pytest

from leadmagnet.rendering.markdown import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b**", "<p><em>a</em> <strong>b</strong></p>"),
        ("[a]({{page_url}})", '<p><a href="{{page_url}}">a</a></p>'),
        ("[a]({{ page_url }})", '<p><a href="{{page_url}}">a</a></p>'),
        ("[a][1]\n\n[1]: {{video_url}}", '<p><a href="{{video_url}}">a</a></p>'),
        ("in {{comma_name}} words", "<p>in {{comma_name}} words</p>"),
        ("[a](https://x.example/?a=1&b=2)", '<p><a href="https://x.example/?a=1&amp;b=2">a</a></p>'),
        (
            "[a](mailto:a@x.example) [b](tel:+1604)",
            '<p><a href="mailto:a@x.example">a</a> <a href="tel:+1604">b</a></p>',
        ),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("[a](https://x.example 'title')", '<p><a href="https://x.example">a</a></p>'),
    ],
)
def test_what_marketers_write(text: str, html: str) -> None:
    assert to_html(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html,x)",
        "[a](vbscript:x)",
        "[a](file:///etc/passwd)",
        "[a](//elsewhere.example)",
        "[a](/privacy)",
        "[a](page.html)",
        "[a]({{comma_name}})",
        "[a](x{{page_url}})",
        "[a](https://x.example/{{page_url}})",
        "[a](https://x.example/%7b%7Bpage_url}})",
        "<a href='https://x.example'>a</a>",
        "<javascript:alert(1)>",
    ],
)
def test_no_other_link_is_made(text: str) -> None:
    assert "<a" not in to_html(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        "<img src=x onerror=y>",
        "![a](https://x.example/p.png)",
        "<style>*{}</style>",
        "`</code><b>`",
    ],
)
def test_no_other_tag_is_made(text: str) -> None:
    html = to_html(text)
    for tag in ("<script", "<img", "<style", "<b>"):
        assert tag not in html


@pytest.mark.parametrize(
    ("target", "stays"), [("/privacy", True), ("/f/a?b=c", True), ("//evil.example", False), ("privacy", False)]
)
def test_pages_may_link_to_our_own(target: str, stays: bool) -> None:
    assert (f'href="{target}"' in to_html(f"[a]({target})", own_pages=True)) is stays
