"""What the Rust tokenizers know of Unicode: Python's tables are newer, in places, and give other tokens.

BERT's normalizer there sorts characters as Unicode 8 (2015) does, and decomposes them as Unicode 9 does; only lower
case is new, from Unicode 17. Below stand the code points about which Python's `unicodedata` may say more, up to
Unicode 18.
"""

import unicodedata
from functools import cache


def code_points(ranges):
    """"41-43 61" -> {"A", "B", "C", "a"}."""
    ends = [(first, last or first) for first, _, last in (part.partition("-") for part in ranges.split())]
    return frozenset(chr(code) for first, last in ends for code in range(int(first, 16), int(last, 16) + 1))


FORMATS = code_points("890-891 8E2 110CD 13430-1343F")  # Cf
MARKS = code_points(  # Mn
    "5C8-5C9 7FD 897-89F 8CA-8E1 9FE AFA-AFF B53-B55 C04 C3C D00 D3B-D3C D81 EBA ECE 180F 1885-1886 1ABF-1AF0 "
    "1DF6-1DFB A82C A8C5 A8FF A9BD 10D24-10D27 10D69-10D6D 10EAB-10EAC 10ECB-10ECF 10EF0-10EFF 10F46-10F50 "
    "10F82-10F85 11070 11073-11074 110C2 111C9 111CF 1123E 11241 1133B 113BB-113C0 113CE 113D0 113D2 113E1-113E2 "
    "11438-1143F 11442-11444 11446 1145E 1182F-11837 11839-1183A 1193B-1193C 1193E 11943 119D4-119D7 119DA-119DB "
    "119E0 11A01-11A0A 11A33-11A38 11A3B-11A3E 11A47 11A51-11A56 11A59-11A5B 11A8A-11A96 11A98-11A99 11B60 "
    "11B62-11B64 11B66 11C30-11C36 11C38-11C3D 11C3F 11C92-11CA7 11CAA-11CB0 11CB2-11CB3 11CB5-11CB6 11D31-11D36 "
    "11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95 11D97 11DF0 11EF3-11EF4 11F00-11F01 11F36-11F3A 11F40 "
    "11F42 11F5A 13440 13447-13455 1611E-16129 1612D-1612F 16F4F 16FE4 1CF00-1CF2D 1CF30-1CF46 1D127-1D128 "
    "1D25B-1D25C 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F 1E130-1E136 1E2AE 1E2EC-1E2EF "
    "1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5 1E944-1E94A"
)
PUNCTUATION = code_points(  # P
    "61D 9FD A76 C77 C84 1B4E-1B4F 1B7D-1B7F 2E43-2E4F 2E52-2E5D 2E60-2E63 10D6E 10EAD 10ED0 10F55-10F59 10F86-10F89 "
    "113D4-113D5 113D7-113D8 1144B-1144F 1145A-1145B 1145D 11660-1166C 116B9 1183B 11944-11946 119E2 11A3F-11A46 "
    "11A9A-11A9C 11A9E-11AA2 11B00-11B09 11BE1 11C41-11C45 11C70-11C71 11EF7-11EF8 11F43-11F4F 11FFF 12FF1-12FF2 "
    "16D6D-16D6F 16E97-16E9A 16FE2 1E5FF 1E95E-1E95F"
)
CLASSES = code_points(  # that have a combining class
    "5C8-5C9 7FD 897-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1AF0 1DF6-1DFA A82C 10D24-10D27 10D69-10D6D "
    "10EAB-10EAC 10ECB-10ECF 10EF0-10EFB 10EFD-10EFF 10F46-10F50 10F82-10F85 11070 1133B 113CE-113D0 1145E "
    "11839-1183A 1193D-1193E 11943 119E0 11A34 11A47 11A99 11D42 11D44-11D45 11D97 11F41-11F42 1612F 16FF0-16FF1 "
    "1D127-1D128 1D250-1D252 1D25B-1D25C 1D25F 1D280-1D281 1E08F 1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF "
    "1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5"
)
DECOMPOSITIONS = code_points(  # that decompose
    "558 58B-58C 209D-209F 32FF A7F1-A7F4 AB69 105C9 105E4 10781-10785 10787-107B0 107B2-107BF 11383 11385 1138E "
    "11391 113C5 113C7-113C8 11938 16121-16128 16D68-16D6A 1B123-1B126 1CCD6-1CCF9 1D6A6 1DF95 1DFCD-1DFFF "
    "1E030-1E06D 1F16C 1FBF0-1FBF9"
)
ALL_MARKS = code_points(  # M
    "5C8-5C9 7FD 897-89F 8CA-8D3 9FE AFA-AFF B53-B55 C04 C3C CF3 D00 D3B-D3C D81 EBA ECE 1715 180F 1ABF-1AF0 1CF7 "
    "1DF6-1DFA A82C A8FF 10D24-10D27 10D69-10D6D 10EAB-10EAC 10ECB-10ECF 10EF0-10EFF 10F46-10F50 10F82-10F85 11070 "
    "11073-11074 110C2 11145-11146 111C9 111CE-111CF 11241 1133B 113B8-113C0 113C2 113C5 113C7-113CA 113CC-113D0 "
    "113D2 113E1-113E2 1145E 1182C-1183A 11930-11935 11937-11938 1193B-1193E 11940 11942-11943 119D1-119D7 "
    "119DA-119E0 119E4 11A01-11A0A 11A33-11A39 11A3B-11A3E 11A47 11A51-11A5B 11A8A-11A99 11B60-11B67 11D31-11D36 "
    "11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D8A-11D8E 11D90-11D91 11D93-11D97 11DF0 11EF3-11EF6 11F00-11F01 11F03 "
    "11F34-11F3A 11F3E-11F42 11F5A 13440 13447-13455 1611E-1612F 16F4F 16F7F-16F87 16FE4 16FF0-16FF1 1CF00-1CF2D "
    "1CF30-1CF46 1D127-1D128 1D250-1D252 1D25B-1D25C 1D25F 1D280-1D281 1E08F 1E130-1E136 1E2AE 1E2EC-1E2EF "
    "1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5"
)
LOWER = {chr(upper): chr(upper + 1) for upper in (0x1C89, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA)}
LOWER |= {chr(upper): chr(upper + 0x20) for upper in range(0x10D50, 0x10D66)}
LOWER |= {chr(upper): chr(upper + 0x1B) for upper in range(0x16EA0, 0x16EB9)}
LOWER |= {"\ua7cb": "\u0264", "\ua7dc": "\u019b"}


def is_control(c):
    """Control and format characters, private use; unassigned ones are none, which Devlin's code says they are."""
    return unicodedata.category(c) in ("Cc", "Cf", "Co") and c not in FORMATS


def is_mark(c):
    """Marks that take no room of their own, such as accents."""
    return (unicodedata.category(c) == "Mn" and c not in MARKS) or c in "\u1734\U0001171e"


def is_any_mark(c):
    """Marks of all kinds, as the normalizer StripAccents knows them, which is not BERT's: those of Unicode 9."""
    return (unicodedata.category(c)[0] == "M" and c not in ALL_MARKS) or c in "\u1cf2\u1cf3"


def is_punctuation(c):
    """Punctuation, and every ASCII character that is neither letter nor digit nor space nor control."""
    if c.isascii():
        return c.isprintable() and not c.isalnum() and c != " "
    return (unicodedata.category(c)[0] == "P" and c not in PUNCTUATION) or c in "\u166d\U000111c9"


@cache
def lower(c):
    """One character's lower case: Σ is σ wherever it stands, where Python's str.lower looks for a word's end."""
    return LOWER.get(c) or c.lower()


def combining(c):
    """The canonical combining class."""
    return 0 if c in CLASSES else unicodedata.combining(c)


def decompose(c, form="NFD"):
    """One character's full decomposition, "NFD" or "NFKD"."""
    return c if c in DECOMPOSITIONS else unicodedata.normalize(form, c)
