"""The protocol double; that PSRP's own clients speak with it is proven where they are (tests/orchestrator/adapters)."""

from __future__ import annotations

from orchestrator.lab.psrp_double import Answer, Double


def test_what_the_double_does_not_know_it_refuses_so_that_no_script_counts_as_having_worked() -> None:
    double = Double(scripts={"Get-Date": lambda: Answer(output=("now",))})
    assert double.answer("Remove-Item C:\\", []).rc == 1
    assert double.answer("Get-Date -Format o", []).output == ("now",)
    assert double.asked == ["Get-Date"]
