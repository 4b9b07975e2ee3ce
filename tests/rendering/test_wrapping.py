from leadmagnet.rendering.wrapping import wrap


def test_long_lines_are_wrapped_and_written_lines_stay() -> None:
    text = wrap("word " * 40 + "\nshort\n\nlast\n")
    assert max(len(line) for line in text.split("\n")) <= 76
    assert text.endswith("\nshort\n\nlast\n")


def test_addresses_stay_whole() -> None:
    address = "https://x.example/" + "a-b" * 60
    assert address in wrap(f"{'word ' * 14}{address} and more").split("\n")


def test_a_slot_is_as_wide_as_its_value_will_be() -> None:
    line = "w" * 60 + " {{exercise}}"
    assert wrap(line) == "w" * 60 + "\n{{exercise}}"
    assert wrap(line, {"exercise": 9}) == line


def test_the_address_slot_in_a_sentence_gets_its_own_line() -> None:
    assert wrap("Open {{page_url}} and choose.") == "Open\n{{page_url}}\nand choose."


def test_items_hang() -> None:
    assert wrap("- " + "word " * 20).split("\n")[1].startswith("  word")


def test_two_slots_side_by_side_stay_two() -> None:
    assert wrap("{{comma_name}}{{comma_name}} " + "word " * 20).startswith("{{comma_name}}{{comma_name}} word")
