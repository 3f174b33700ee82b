"""Every mistake that a user can make gives one line on standard error, exit code 2, and leaves nothing behind."""

import io
import json
import shutil
import sys

import pytest

from langnet.cli import main
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.text.text_items import TextItem
from tests.conftest import sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model):
    """A folder with good and bad files, a language model and a classifier."""
    folder = tmp_path_factory.mktemp("naïve dir")
    data = sentences(40, seed=3)
    tiny_model.save(folder / "lm")
    finetune(tiny_model, data.texts, data.labels, FinetuneOptions("frozen")).save(folder / "classifier")
    rated = [TextItem("fine", 1.0), TextItem("dull", 2.0)] * 4
    quick = TransferOptions(FinetuneOptions("frozen", epochs=1))
    transfer(tiny_model, "regress", rated, quick).save(folder / "rater")
    rows = [{"text": t, "label": y} for t, y in zip(data.texts, data.labels, strict=True)]
    write = {
        "data.jsonl": "\n".join(map(json.dumps, rows)),
        "one-class.jsonl": "\n".join(json.dumps({**row, "label": "pos"}) for row in rows),
        "unknown.jsonl": "\n".join(json.dumps({**row, "label": "green"}) for row in rows),
        "no-label.jsonl": json.dumps({"text": "fine", "label": ""}),
        "cut.jsonl": '{"text": "fine", "lab',
        "ragged.csv": "text,label\na,b,c\n",
        "quotes.csv": 'text,label\n"a,b\n',
        "empty.txt": "",
        "blank.txt": " \n\n",
        "raw.txt": "\n\n".join(data.texts),
        "lists.jsonl": json.dumps({"text": ["a"], "label": "b"}),
    }
    for name, content in write.items():
        (folder / name).write_text(content, encoding="utf8")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    (folder / "program").write_bytes(b"\x7fELF" + bytes(2000))
    (folder / "damaged.txt.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"nonsense" * 20)
    (folder / "binary.csv").write_bytes(b"\x7fELF\x02\x01\n" + bytes(range(1, 256)) * 4)
    (folder / "nothing").mkdir()
    (folder / "folder.csv").mkdir()
    for name, file in (("flipped", "weights.safetensors"), ("flipped-config", "config.json")):
        shutil.copytree(folder / "lm", folder / name)
        content = bytearray((folder / name / file).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name / file).write_bytes(bytes(content))
    shutil.copytree(folder / "lm", folder / "incomplete")
    (folder / "incomplete" / "tokenizer.json").unlink()
    shutil.copytree(folder / "lm", folder / "unlisted")
    (folder / "unlisted" / "checksums.json").unlink()
    return folder


def run(monkeypatch, folder, arguments, stdin=b""):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["langnet", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


PRETRAIN = ["pretrain", "raw.txt", "-o", "x", "--size", "tiny", "--steps", "1"]
FINETUNE = ["finetune", "lm", "data.jsonl", "-o", "x", "--method", "frozen"]

MISTAKES = [
    # what there is to read
    (["pretrain", "nowhere.txt", "-o", "x"], "there is no file or folder 'nowhere.txt'"),
    (["pretrain", "*.nothing", "-o", "x"], "no file matches '*.nothing'"),
    (["pretrain", "nothing", "-o", "x"], "holds no file that langnet reads"),
    (["pretrain", "empty.txt", "-o", "x"], "there is no text in empty.txt"),
    (["pretrain", "blank.txt", "-o", "x"], "there is no text in blank.txt"),
    (["pretrain", "empty.csv", "-o", "x"], "there is no text in empty.csv"),
    (["pretrain", "program", "-o", "x"], "no plain text"),
    (["pretrain", "picture.png", "-o", "x"], "picture.png"),
    (["pretrain", "damaged.txt.gz", "-o", "x"], "cannot read damaged.txt.gz"),
    (["pretrain", "data.jsonl", "-o", "x", "--text-column", "body"], "there is no column 'body'"),
    (["pretrain", "lists.jsonl", "-o", "x"], "holds a list where text is expected"),
    (["pretrain", "cut.jsonl", "-o", "x"], "cut.jsonl, line 1: not valid JSON"),
    (["pretrain", "ragged.csv", "-o", "x"], "ragged.csv, line 2: 3 cells"),
    (["pretrain", "quotes.csv", "-o", "x"], "quotes.csv, line"),
    (["pretrain", "binary.csv", "-o", "x"], "binary.csv is binary, and no table"),
    (["pretrain", "folder.csv", "-o", "x"], "the folder folder.csv holds no file that langnet reads (it is empty)"),
    (["inspect", "nowhere.txt"], "there is no file or folder 'nowhere.txt'"),
    (["inspect", "data.jsonl", "--label-column", "colour"], "there is no column 'colour'"),
    (["inspect", "data.jsonl", "--test", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    (["inspect", "empty.txt"], "there is no text in empty.txt"),
    # settings
    ([*PRETRAIN, "--minutes", "1"], "exactly one budget"),
    (["pretrain", "raw.txt", "-o", "x", "--minutes", "0"], "above zero"),
    (["pretrain", "raw.txt", "-o", "x", "--minutes", "soon"], "--minutes"),
    (["pretrain", "raw.txt", "-o", "x", "--steps", "-3"], "above zero"),
    (["pretrain", "raw.txt", "-o", "x", "--encoder", "bert"], "there is no encoder 'bert'"),
    (["pretrain", "raw.txt", "-o", "x", "--size", "huge"], "there is no size 'huge'"),
    (["pretrain", "raw.txt", "-o", "x", "--tokenizer", "syllables"], "'syllables'"),
    (["pretrain", "raw.txt", "-o", "x", "--documents", "chapter"], "'chapter'"),
    ([*PRETRAIN, "--vocabulary-size", "3"], "vocabulary of 3 is too small"),
    ([*PRETRAIN, "--validation-fraction", "1.5"], "validation fraction of 1.5"),
    ([*PRETRAIN, "--context", "0"], "context of 0"),
    ([*PRETRAIN, "--batch-tokens", "0"], "0 tokens"),
    ([*PRETRAIN, "--learning-rate", "-1"], "learning rate"),
    ([*PRETRAIN, "--device", "tpu9"], "there is no device 'tpu9'"),
    ([*PRETRAIN, "--colour", "red"], "--colour"),
    (["pretrain", "raw.txt"], "--output"),
    (["pretrane", "raw.txt"], "pretrane"),
    # where it is to go
    (["pretrain", "raw.txt", "-o", "lm"], "lm exists already"),
    (["pretrain", "raw.txt", "-o", "nothing", "--overwrite"], "nothing exists and is no langnet model"),
    (["pretrain", "raw.txt", "-o", "raw.txt", "--overwrite"], "raw.txt exists and is no langnet model"),
    (["pretrain", "raw.txt", "-o", "raw.txt/x"], "cannot write"),
    (["predict", "classifier", "data.jsonl", "-o", "not/there.csv"], "there is no folder not"),
    (["predict", "classifier", "data.jsonl", "-o", "x.docx"], "neither in .csv nor in .tsv or .jsonl"),
    (["predict", "classifier", "data.jsonl", "-o", "x.txt"], "neither in .csv nor in .tsv or .jsonl"),
    (["evaluate", "classifier", "data.jsonl", "--json", "nothing"], "it is a folder"),
    (["inspect", "raw.txt", "--json", "not/there.json"], "there is no folder not"),
    (["score", "lm", "raw.txt", "--json", "not/there.json"], "there is no folder not"),
    # models
    (["predict", "clasifier", "data.jsonl"], "did you mean classifier?"),
    (["adapt", "nowhere", "raw.txt", "-o", "x"], "there is no model 'nowhere'"),
    (["generate", "raw.txt"], "raw.txt is a file"),
    (["generate", "nothing"], "is a folder but no model"),
    (["generate", "flipped"], "weights.safetensors"),
    (["score", "flipped-config", "raw.txt"], "config.json"),
    (["finetune", "incomplete", "data.jsonl", "-o", "x"], "tokenizer.json"),
    (["models", "flipped", "--verify"], "broken"),
    (["models", "unlisted", "--verify"], "1 of 1 models are broken"),
    (["models", "nowhere"], "there is no model 'nowhere'"),
    (["models", "--card"], "say which"),
    (["predict", "lm", "data.jsonl"], "language model without labels"),
    (["evaluate", "lm", "raw.txt", "--predictions", "p.csv"], "has no labels"),
    (["generate", "classifier"], "classifier and cannot write text"),
    (["score", "classifier", "raw.txt"], "classifier and cannot score text"),
    (["score", "classifier", "raw.txt", "--lines"], "classifier and cannot score text"),
    (["adapt", "classifier", "raw.txt", "-o", "x"], "is a classifier"),
    # labels
    (["finetune", "lm", "one-class.jsonl", "-o", "x"], "at least two different labels, found only 'pos'"),
    (["finetune", "lm", "no-label.jsonl", "-o", "x"], "no-label.jsonl, line 1"),
    (["finetune", "lm", "raw.txt", "-o", "x"], "raw.txt is no table"),
    (["finetune", "lm", "nothing", "-o", "x"], "0 sub-folders"),
    (["finetune", "lm", "empty.csv", "-o", "x"], "no labelled text in empty.csv"),
    (["finetune", "lm", "nowhere.csv", "-o", "x"], "there is no file or folder 'nowhere.csv'"),
    ([*FINETUNE, "--label-column", "colour"], "there is no column 'colour'"),
    ([*FINETUNE, "--unlabelled", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    ([*FINETUNE, "--batch-size", "0"], "--batch-size"),
    ([*FINETUNE, "--max-tokens", "1"], "--max-tokens"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--epochs", "0"], "epochs"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--learning-rate", "0"], "learning rate"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--layer-decay", "0"], "layer decay"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--dropout", "1.5"], "dropout"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--validation-fraction", "2"], "validation fraction"),
    (["finetune", "lm", "data.jsonl", "-o", "x", "--method", "magic"], "'magic'"),
    (
        ["evaluate", "classifier", "unknown.jsonl"],
        "unknown.jsonl:1: the test texts have labels that the model does not know: green",
    ),
    (["evaluate", "classifier", "data.jsonl", "--train", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    (["evaluate", "classifier", "raw.txt"], "raw.txt is no table"),
    (["evaluate", "lm", "empty.txt"], "there is no text in empty.txt"),
    (["predict", "classifier", "folder.csv"], "the folder folder.csv holds no file"),
    (["predict", "classifier", "binary.csv"], "binary.csv is binary, and no table"),
    (["finetune", "lm", "folder.csv", "-o", "x"], "folder.csv has 0 sub-folders"),
    (["predict", "classifier", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    (["predict", "classifier", "data.jsonl", "--text-column", "body"], "there is no column 'body'"),
    (["predict", "classifier", "program"], "no plain text"),
    # options of other tasks
    ([*FINETUNE, "--second-column", "label"], "--second-column is for the tasks beside classification"),
    (["predict", "classifier", "data.jsonl", "--second-column", "b"], "--second-column is for the tasks beside"),
    (["evaluate", "classifier", "data.jsonl", "--second-column", "b"], "--second-column is for the tasks beside"),
    (["calibrate", "classifier", "data.jsonl", "--second-column", "b"], "--second-column is for the tasks beside"),
    (["calibrate", "classifier", "data.jsonl", "--separator", ";"], "--separator is for the tasks beside"),
    (["explain", "classifier", "a", "--second-column", "b"], "--second-column is for the tasks beside"),
    ([*FINETUNE, "--task", "multilabel", "--pooling", "last"], "it is --head pooling=last"),
    # files that would hold nothing
    (["score", "lm", "raw.txt", "--lines", "--json", "s.json"], "> FILE keeps it"),
    (["vectors", "align", "a.vec", "b.vec", "--json", "s.json"], "--json holds the score on the pairs of --test"),
    (["vectors", "analogy", "v", "a", "b", "c", "--json", "s.json"], "--json holds the scores of --questions"),
    (["vectors", "similarity", "v", "a", "b", "--json", "s.json"], "--json holds the score of --pairs"),
    # files that would be lost
    (["vectors", "convert", "raw.txt", "raw.txt"], "raw.txt is one of the files that are read"),
    (["vectors", "align", "raw.txt", "b.vec", "-o", "raw.txt"], "raw.txt is one of the files that are read"),
    (["vectors", "align", "a", "b", "-o", "x.txt", "--target-output", "x.txt"], "x.txt would be written twice"),
    (["evaluate", "classifier", "data.jsonl", "--json", "x.jsonl", "--predictions", "x.jsonl"], "written twice"),
    # caches
    (["score", "lm", "raw.txt", "--cache-theta", "0.3"], "add --cache-window"),
    (["evaluate", "lm", "raw.txt", "--cache-lambda", "0.3"], "add --cache-window"),
    (["evaluate", "rater", "data.jsonl", "--cache-window", "9"], "a cache stands beside language models"),
    (["evaluate", "classifier", "data.jsonl", "--cache-window", "9"], "a cache stands beside language models"),
    # likelihood
    (["zero", "labels", "lm", "data.jsonl", "--word", "pos"], "write LABEL=words"),
    (["zero", "labels", "lm", "data.jsonl", "--word", "pos=good"], "two labels or more"),
    (["zero", "labels", "lm", "data.jsonl", "--word", "a=good", "--word", "b=bad"], "no words for the label"),
    (["zero", "labels", "classifier", "data.jsonl", "--word", "pos=a", "--word", "neg=b"], "classifier and cannot say"),
    (["zero", "pairs", "lm", "data.jsonl"], "there is no column 'sentence_good'"),
    (["zero", "pairs", "lm", "nowhere.jsonl"], "there is no file or folder 'nowhere.jsonl'"),
    (["zero", "choices", "lm", "data.jsonl"], "no alternatives found; give a list 'choices'"),
    (["zero", "acceptability", "lm", "data.jsonl", "--dev", "data.jsonl"], "it has to be 1 (acceptable) or 0"),
    # calibration, abstention, explanation
    (["calibrate", "lm", "data.jsonl"], "language model without labels"),
    (["calibrate", "classifier", "data.jsonl", "--target-accuracy", "2"], "between 0 and 1"),
    (["calibrate", "classifier", "unknown.jsonl", "-o", "x"], "does not know the label 'green'"),
    (["evaluate", "classifier", "data.jsonl", "--abstain"], "holds no threshold"),
    (["evaluate", "classifier", "data.jsonl", "--abstain-below", "3"], "from 0 to 1, not 3"),
    (
        ["predict", "classifier", "data.jsonl", "--abstain-below", "0.5", "--abstain"],
        "either --abstain-below or --abstain",
    ),
    (["explain", "lm", "a"], "language model without labels"),
    (["explain", "classifier"], "give either texts in quotes"),
    (["explain", "classifier", "a", "--label", "blue"], "does not know the label 'blue'"),
    (["explain", "classifier", "a", "--method", "gradient", "--occlude", "pad"], "--occlude is for --method occlusion"),
    (["explain", "classifier", "a", "--limit", "0"], "--limit"),
    # text out of models
    (["generate", "lm", "--tokens", "0"], "0 tokens cannot be generated"),
    (["generate", "lm", "--temperature", "-1"], "temperature must be 0 or more"),
    (["generate", "lm", "--top-k", "0"], "top-k must be 1 or more"),
    (["generate", "lm", "--top-p", "2"], "top-p must be"),
    (["generate", "lm", "--samples", "0"], "--samples"),
    (["score", "lm", "blank.txt"], "there is no text in blank.txt"),
    (["score", "lm", "nowhere.txt"], "there is no file or folder 'nowhere.txt'"),
    (["score", "lm", "-"], "there is no text in -"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_one_line_and_exit_code_2(folder, monkeypatch, capsys, arguments, message):
    before = {path.name for path in folder.iterdir()}
    code = run(monkeypatch, folder, arguments)
    said = capsys.readouterr().err
    lines = [line for line in said.strip().splitlines() if line.startswith("langnet: ")]
    assert code == 2, said
    assert len(lines) == 1, said
    assert lines[0] == said.strip().splitlines()[-1], "nothing follows the message"
    assert message in lines[0]
    assert "Traceback" not in said
    left = {path.name for path in folder.iterdir()} - before
    for name in left:
        shutil.rmtree(folder / name)
    assert left <= {"x.run"}
