"""What the book cites stands in references.bib, under the same address, by the same authors, of the same year."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from pybtex.database import parse_file  # sphinxcontrib-bibtex reads the file with it too
from pybtex.richtext import Text

ROOT = Path(__file__).resolve().parents[1]
BIB = parse_file(ROOT / "references.bib").entries  # it refuses a key that stands twice
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((https?://[^)\s]+)\)")
# A work, wherever it is published; what is only a page or a repository may be linked without being cited.
WORK = re.compile(
    r"https?://(?:www\.)?(?:\w+\.)?(?:arxiv\.org|aclanthology\.org|doi\.org|openreview\.net|dl\.acm\.org)/"
)
CITATION = re.compile(r"(?P<who>[^\d\W].*) (?P<year>\d{4})")


def address(entry):
    fields = entry.fields
    if "eprint" in fields:
        return f"https://arxiv.org/abs/{fields['eprint']}"
    return fields.get("url") or f"https://doi.org/{fields['doi']}"


def family(person):
    """The family name as it is read: braces are none, "van" and "de la" belong to it."""
    return str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names])))


def authors(entry):
    """As the book writes them: Su, Press & Wolf, Brown et al."""
    people = [family(person) for person in entry.persons["author"]]
    return f"{people[0]} et al." if len(people) > 2 else " & ".join(people)


WORKS = {address(entry): entry for entry in BIB.values()}


def links(text):
    """(text, address) of each link, code left aside."""
    return LINK.findall(re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.M | re.S))


def citations():
    """(where, text, address) of every link that cites a work or is written as if it did."""
    texts = [(page.name, page.read_text(encoding="utf-8")) for page in sorted(ROOT.glob("*.md"))]
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        texts += [(f"{path.name}, {cell.id}", cell.source) for cell in cells if cell.cell_type == "markdown"]
    for where, text in texts:
        for said, target in links(text):
            if WORK.match(target) or CITATION.fullmatch(said):
                yield where, said, target


def test_every_work_that_is_cited_stands_in_the_bibliography():
    found = list(citations())
    assert len(found) > 150, "the citations could not be read"
    missing = [f"{where}: {said} {target}" for where, said, target in found if target not in WORKS]
    assert not missing, "not in references.bib, or there with another address:\n" + "\n".join(missing)


def test_citations_name_the_authors_and_the_year():
    wrong = []
    for where, said, target in citations():
        if (match := CITATION.fullmatch(said)) and target in WORKS:
            entry, who = WORKS[target], match["who"].split(", ")[0].replace(" and ", " & ")  # corpora.md adds the title
            if (who, match["year"]) != (authors(entry), entry.fields["year"]):
                wrong.append(f"{where}: [{said}] is {authors(entry)} {entry.fields['year']} in references.bib")
    assert not wrong, "\n".join(wrong)


def test_the_bibliography_has_nothing_that_nobody_cites():
    """The chapters and pages by a link, the docstrings by "arXiv:1706.03762"; Gage 1994 by the bibliography itself."""
    cited = {target for _, _, target in citations()}
    library = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lmkit").rglob("*.py"))
    cited |= {f"https://arxiv.org/abs/{number}" for number in re.findall(r"arXiv:(\d{4}\.\d{4,5})", library)}
    idle = sorted(key for key, entry in BIB.items() if address(entry) not in cited and key != "gage1994")
    assert not idle, f"references.bib says that the book cites {idle}"


@pytest.mark.parametrize("key", BIB)
def test_an_entry_is_complete(key):
    entry = BIB[key]
    assert {"title", "year"} <= set(entry.fields) and entry.persons.get("author"), f"{key} lacks title, year or author"
    assert {"eprint", "doi", "url"} & set(entry.fields), f"{key} has no address: eprint, doi or url"
    assert re.fullmatch(r"(?:19|20)\d\d", entry.fields["year"])
    people = [family(person) for person in entry.persons["author"]]
    assert people.count("others") <= 1 and (people[-1] != "others" or len(people) == 4), (
        f"{key}: all authors, or the first three and others"
    )
    if number := entry.fields.get("eprint"):
        assert re.fullmatch(r"\d{4}\.\d{4,5}", number) and entry.fields.get("archiveprefix") == "arXiv"
        away = int(entry.fields["year"]) - 2000 - int(number[:2])
        assert away in (-1, 0, 1), f"{key} is of {entry.fields['year']}, and its arXiv number of 20{number[:2]}"


def test_no_work_stands_twice():
    for what, values in {
        "address": map(address, BIB.values()),
        "title": (re.sub(r"\W", "", entry.fields["title"]).lower() for entry in BIB.values()),
    }.items():
        twice = [value for value, times in Counter(values).items() if times > 1]
        assert not twice, f"the same {what} twice: {twice}"


def test_addresses_are_written_as_the_bibliography_writes_them():
    """abs/, without a version: two spellings of one address would make two works."""
    odd = [f"{where}: {target}" for where, _, target in citations() if re.search(r"arxiv\.org/(?!abs/)|v\d+$", target)]
    assert not odd, odd
