"""Texts of ordinary life and work that look as if they held personal data and hold none."""

from __future__ import annotations

from typing import Any

BENIGN = (
    # dates and times
    "The meeting is on 2024-10-05, the next one on 2024-11-02.",
    "2026-02-17T13:45:06.123456+05:30 is when it began, and 20260217T081506Z when it ended.",
    "Between 12:30 and 14:45 on 05/10/2024, or 05.10.2024 as they write there.",
    "ISO week 2025-W03-5, day 2025-017, and the interval 2025-01-01/2025-06-30.",
    # places
    "We flew from Berlin to New York and took a train to Boston, then a bus to Springfield.",
    "Paris in spring, London in the fog, Mumbai in the monsoon: which one do you like best?",
    "Is it warmer in Buenos Aires or in Cape Town in March?",
    # hashes, identifiers
    "Reverted in 9f8e7d6c5b4a39281706f5e4d3c2b1a098765432, see also 1234567 and a1b2c3d.",
    "git cherry-pick 47a0b5a aa1f06f 40a832c && git push origin HEAD:refs/heads/fix-4812",
    "The request 3f2504e0-4f89-41d3-9a0c-0305e82c3301 failed, 7c9e6679-7425-40de-944b-e07fc1f90ae7 did not.",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 is that of nothing at all",
    'etag W/"0815-1890afd80709", nonce 4f1c2d3e, span 00f067aa0ba902b7, trace 4bf92f3577b34da6a3ce929d0e0e4736',
    "MAC address 00:1B:44:11:3A:B7 and a pointer 0x7ffee4c3a9d0 of the crash",
    # emoji, scripts, invisible characters where they belong
    "Our family 👨‍👩‍👧‍👦 says hi from the beach 🏖️, 1️⃣ 2️⃣ 3️⃣ go! 🏳️‍🌈",
    "नमस्ते, क्‍या हाल है? می‌خواهم بروم.",
    "A soft\u00adhyphen\u00adated word, and a no\u00a0break\u00a0space before 5\u00a0km.",
    "Tous les prix sont en euros : 1 234,50 € « hors taxes ».",
    # versions, numbers of a shop
    "Upgraded from 1.2.3.4 to 2.10.0-rc.1+build.5114, Chrome/126.0.6478.127 is fine.",
    "numpy==1.26.4 pandas>=2.2.2,<3 protobuf~=4.25.3 # of requirements.txt",
    "ISBN 978-3-16-148410-0 costs $1,299.99, ISBN 0-306-40615-2 only 17.50 EUR.",
    "Order 100-2345678-9012345 of 3 items: 2 x 49.99, 1 x 129.00, in total 228.98 USD",
    "Invoice 2024/000123456, item no. 4006381333931, tracking number 1Z999AA10123456784",
    "SKU 4711-0815-XL, batch 20240115-0042, lot 887766",
    # logs, code
    "2024-10-05 10:30:12,345 INFO [worker-3] served 10482 requests in 3600.2 s (p99 12.75 ms)",
    "[ 1234.567890] usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    "1722855600.123 INFO cache: hit=18273645 miss=9182 ratio=0.9995",
    "at com.example.App.main(App.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)",
    'for i in range(10):\n    x = 1234567890\n    print(f"{i:02d} {x & 0xFFFF:#06x} %40 &#64; \\u0040")',
    "const EPOCH = 1420070400000n; let id = (BigInt(Date.now()) - EPOCH) << 22n; // snowflake",
    "SELECT * FROM t WHERE id IN (1001, 1002, 1003) AND price BETWEEN 10.00 AND 99.99 LIMIT 50 OFFSET 100;",
    "if (a[i] == b[j]) { dot(a, b); } else { assert at == dot; }",
    "@app.route('/items/<int:id>') def get(id): return jsonify(items[id])",
    "curl -s http://localhost:8080/v1/items/42?page=2&per_page=100 | jq '.[0].id'",
    "#445566 #778899 #aabbcc rgb(12, 34, 56) rgba(0,0,0,0.75)",
    "aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBwbGFpbiB0ZXh0IG9mIG5vdGhpbmc= is base64 of nothing of note",
    "%E2%9C%93 and %20 and &amp;amp; stand in the docs of the parser",
    # games, sums, measures
    "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6 5. O-O Be7 6. Re1 b5 7. Bb3 d6 8. c3 O-O",
    "3.14159265358979 × 2.71828182845905 ≈ 8.53973422267357; (a + b)^2 = a^2 + 2ab + b^2",
    "48.8584 N, 2.2945 E, 330 m high, 7300 t of iron and 2500000 rivets",
    "1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987",
    "They won 3-1, 2-2, 0-4 and 21-19 21-17; the odds were 13/8 and 7/2.",
    "one two three four, that is how the song begins, five six seven eight",
    "0 1 1 0 1 0 0 1 is the Thue-Morse sequence, 11000100 in binary is 196",
    "Chapter 4, pages 112-134 (2019), doi:10.1000/182, arXiv:2310.06825",
    "calls..me back maybe, dinner.ms and see.you at the usual place",
)

DOCUMENTS: tuple[Any, ...] = (
    "pong",
    True,
    42,
    {"closing prices": {"2024-10-05": 123456789, "2024-10-06": 98765432, "2024-10-07": 45391488}},
    {"rows": [{"id": 100231, "quantity": 4512, "stock": 880343}, {"id": 100232, "quantity": 6467, "stock": 145390}]},
    {"rows": [{"sku": "4711-08", "n": 1}, {"sku": "15-2024", "n": 2}, {"sku": "887-766", "n": 3}]},
    {"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "weights": [0.25, 0.125, 3.0517578125e-05]},
    {"status 200": 91234, "status 404": 512, "status 503": 7},
    {"user 1001": {"visits 2024": 3312}, "user 1002": {"visits 2024": 871}},
    {"chapter 12": "pages 112 to 134", "chapter 13": "pages 135 to 150"},
    {"commit": "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432", "parents": ["47a0b5a", "aa1f06f"], "version": "1.2.3.4"},
    {"events": [{"at": "2026-02-17T13:45:06Z", "took": 1284}, {"at": "2026-02-17T13:45:07Z", "took": 998877}]},
    {"openings": [{"name": "Ruy Lopez", "eco": "C60"}, {"name": "Queen's Gambit", "eco": "D06"}]},
    {"event": {"kind": "push", "id": 108812345}, "status": "queued", "created": 1722855600},
)
"""Bodies of JSON that hold nothing either."""
