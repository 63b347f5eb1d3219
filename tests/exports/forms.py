"""The forms that exports are made from: the grades of a class, and the results of one run."""

import json
from collections import Counter
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from exports.lines import ExportError, LabForm, exact
from kit.result import FORM as RESULT_FORM
from kit.result import CheckResult, module_of
from reports.grades import FORM as GRADES_FORM
from reports.grades import GRADES, Grades, LabGrade, Suite
from reports.words import counted, lateness

_OF_A_LAB = ("lab", "title", "points", "max_points", "python", "system", "seed", "duration")


def read(path: Path) -> Grades | list[LabForm]:
    """Return a class, from grades.json or its folder, or the labs of one run. ExportError."""
    file = path / GRADES if path.is_dir() else path
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from None
    except ValueError:
        raise ExportError(f"{file}: not JSON") from None
    try:
        if isinstance(told, dict) and told["form"] == GRADES_FORM:
            return Grades.from_dict(told)
        if isinstance(told, list) and told and all(lab["form"] == RESULT_FORM for lab in told):
            return [_lab(lab) for lab in told]
    except (AttributeError, KeyError, TypeError):
        pass
    raise ExportError(f"{file}: neither of the form {GRADES_FORM} nor {RESULT_FORM}")


def lab_of(grades: Grades, suite: Suite, grade: LabGrade) -> LabForm:
    """Return a student's grade as a lab of a result, each check with the points that it counts."""
    could = Counter[str]()
    for check in grade.checks:
        could[module_of(check.id)] += 0 if check.reason == "system" else check.max_points
    weights = {
        part.module: exact(part.max_points) / could[part.module]
        for part in suite.parts
        if could[part.module]
    }
    checks = []
    for check in grade.checks:
        weight = weights.get(module_of(check.id), Fraction(0))
        points = {"points": check.points * weight, "max_points": check.max_points * weight}
        checks.append(asdict(check) | points)
    return {
        **{"lab": suite.lab, "title": suite.title, "checks": checks},
        **{"points": grade.points, "max_points": grade.max_points},
        **{"python": grades.python, "system": grades.system},
        **{"seed": grade.seed, "duration": grade.duration},
    }


def penalty(grade: LabGrade) -> str:
    """Return what lateness took of the points, as a sentence; or "" if there is nothing to say."""
    late = lateness(grade)
    return f"Earned: {counted(grade.earned, 'point')}; {late}." if late else ""


def _lab(told: Any) -> LabForm:
    known = {field.name for field in fields(CheckResult)}
    checks = [CheckResult(**{name: check[name] for name in known}) for check in told["checks"]]
    return {name: told[name] for name in _OF_A_LAB} | {"checks": [asdict(one) for one in checks]}
