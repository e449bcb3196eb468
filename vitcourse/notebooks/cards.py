"""What the card of an exercise says, for the book and for the learner's copy alike."""

from vitcourse.exercises import Exercise

DIFFICULTY = {1: "warm-up", 2: "medium", 3: "hard"}


def exercise_facts(exercise: Exercise) -> dict[str, str]:
    """What is known of an exercise before it is tried: heading and words, in the order of the card."""
    return {
        "Objective": exercise.objective,
        "Difficulty": DIFFICULTY[exercise.difficulty],
        "Time": f"{exercise.minutes} minutes",
        "Points": str(exercise.points),
    }


def forbidden_sentence(exercise: Exercise) -> str:
    """The names that the learner's function may not call, as one sentence of Markdown; empty if there are none."""
    if not exercise.forbidden:
        return ""
    names = [f"`{name}`" for name in exercise.forbidden]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"Your code may not call {listed}."
