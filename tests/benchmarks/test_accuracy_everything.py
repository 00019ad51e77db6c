"""All pieces are named once, quick ones first, and what is done is not done again."""

from pathlib import Path

from benchmarks.accuracy.contenders import CONTENDERS
from benchmarks.accuracy.everything import BASELINES, Piece, pieces, table
from consumers.process.documents import write_document


def test_every_baseline_has_its_pieces(tmp_path: Path) -> None:
    found = list(pieces(tmp_path, tmp_path / "out", minutes=5.0))
    assert set(BASELINES) == set(CONTENDERS)
    assert len({piece.result for piece in found}) == len(found)
    for name in BASELINES:
        assert sum(piece.result.parent.name == name for piece in found) == 4
    assert not any("ml-1m" in str(p.result) and "temporal" in str(p.result) for p in found)


def test_a_piece_runs_until_its_result_is_there(tmp_path: Path) -> None:
    result, count = tmp_path / "result", tmp_path / "count"
    piece = Piece(
        ("-c", f"open({str(count)!r}, 'a').write('x'); open({str(result)!r}, 'w').close()"), result
    )
    piece.run()
    piece.run()
    assert count.read_text() == "x"


def test_the_table_shows_what_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "beauty" / "temporal" / "sasrec"
    folder.mkdir(parents=True)
    write_document(
        {
            "valid": {"hr@10": 0.05, "ndcg@10": 0.02},
            "test": {"hr@10": 0.0974, "ndcg@10": 0.0588},
            "seeds": [1, 2, 3],
            "cost": {"seconds_per_seed": 90.0},
        },
        folder / "metrics.json",
    )
    (row,) = [line.split() for line in table(tmp_path).splitlines()[1:]]
    assert row == ["beauty/temporal/sasrec", ".0500/.0200", ".0974/.0588", "3", "1.5"]
