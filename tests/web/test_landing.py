"""The landing page: the form, the path with its days, the sentences that have to be there."""

import re

HEAVY = 60_000


def test_landing_page_holds_form_path_and_advice(site):
    page = site.get("/").text
    for words in (
        "Six core videos",
        "Sixteen days, six stations",
        "Day 1<",
        "Day 16<",
        "Good to know",
        "When to ask first",
    ):
        assert words in page
    assert "Sample content, not yet reviewed by a clinician." in page
    assert page.count("<h1") == 1
    assert "5 minute" not in page.lower()
    assert "five minutes each" not in page.lower()


def test_the_consent_box_is_never_ticked_and_stands_beside_the_full_request(site):
    page = site.get("/").text
    box = re.search(r'<input id="consent"[^>]*>', page)[0]
    assert "checked" not in box
    for words in (
        "I am 18 or older",
        "one every three days",
        "2210 Marine Crescent",
        "604-555-0142",
        'href="/privacy"',
    ):
        assert words in page


def test_a_reviewer_is_named_where_one_is_set(make_site):
    page = make_site(content_reviewer="Maren Okafor, PT, 14 October 2026").get("/").text
    assert "Reviewed by Maren Okafor, PT, 14 October 2026." in page
    assert "Sample content" not in page


def test_booking_link_is_shown_only_where_there_is_one(make_site):
    assert "Book a visit" not in make_site().get("/").text.split("</header>")[0]
    assert 'href="https://book.example/"' in make_site(clinic_booking_url="https://book.example/").get("/").text


def test_another_form_names_itself(site):
    assert site.hidden("/f/article-core")["form"] == "article-core"
    assert site.hidden("/")["form"] == "landing"
    assert site.get("/f/nothing").status_code == 404


def test_landing_page_is_light_and_asks_no_other_host(site):
    page = site.get("/").text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    found = set(re.findall(r'(?:src|href)="(/(?:static|media)/[^"]+)"', page))
    sizes = [len(site.get(path, headers={"Accept-Encoding": "gzip"}).data) for path in found]
    assert len(sizes) >= 9
    assert len(page.encode()) + sum(sizes) < HEAVY


def test_article_has_contents_reviewer_disclaimer_and_its_own_form(site):
    page = site.get("/articles/core").text
    assert 'href="#how-to-begin"' in page
    assert 'id="how-to-begin"' in page
    assert "Sample content, not yet reviewed by a clinician." in page
    assert "doesn’t replace an assessment" in page
    assert site.hidden("/articles/core")["form"] == "article-core"
    assert "Read next" not in page


def test_telephone_numbers_in_texts_can_be_tapped(site):
    assert 'call <a href="tel:+16045550142">604-555-0142</a>' in site.get("/articles/core").text


def test_privacy_says_who_is_responsible(site):
    page = site.get("/privacy").text
    assert "Riverside Physiotherapy runs this service" in page
    assert "{{" not in page


def test_without_a_loaded_course_the_form_still_stands(site):
    from sqlalchemy import delete

    from leadmagnet import store

    with store.writing(site.services.engine) as session:
        session.execute(delete(store.forms.Form))
    page = site.get("/")
    assert page.status_code == 200
    assert "one every few days" in page.text
    assert "stations" not in page.text
    assert site.sign_up().status_code == 303
