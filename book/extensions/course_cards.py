"""The directives that stand in a lesson or its exercises: two cards, the quiz, and the role that names an objective."""

import hashlib
import json
from pathlib import Path

from course_nodes import anchor, course_page, html, lesson_of, objective_badge, words
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective, SphinxRole

from vitcourse.errors import InputError
from vitcourse.exercises import find_exercise
from vitcourse.notebooks.markup import parse_objectives, parse_quiz


class CourseDirective(SphinxDirective):
    """A directive whose faults are shown with the page and the line that they stand on."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            return self.make()
        except InputError as error:
            raise self.error(str(error)) from error

    def make(self) -> list[nodes.Node]:
        raise NotImplementedError

    def inline(self, text: str) -> list[nodes.Node]:
        """Markdown of one paragraph, without the paragraph."""
        return self.parse_inline(text)[0]

    def fact(self, name: str, *content: nodes.Node, classes: str = "") -> nodes.Node:
        """A name and what it stands for, as one part of a card."""
        return html("div", html("dt", words(name)), html("dd", *content), classes=classes)


class LessonCard(CourseDirective):
    """``:::{lesson-card}``: objectives, what they need, minutes to read, and what the lesson costs to run."""

    option_spec = {"needs": directives.unchanged_required, "minutes": directives.positive_int}  # noqa: RUF012

    def make(self) -> list[nodes.Node]:
        page, items = course_page(self.env), []
        page.has_card, page.minutes = True, self.options.get("minutes", 0)
        for name, text in parse_objectives(self.content).items():
            content = self.inline(text)
            page.objectives[name] = without_stop(content)
            item = html("li", objective_badge("", objective=name, short=True), html("span", *content))
            item["ids"].append(anchor(name))
            items.append(item)
        facts = []
        if needs := self.options.get("needs"):
            facts.append(self.fact("You need", *self.inline(needs), classes="fact-needs"))
        if minutes := self.options.get("minutes"):
            facts.append(self.fact("To read", words(f"about {minutes} minutes")))
        facts += [self.fact(f"On a {name}", words(text)) for name, text in self.cost().items()]
        title = html("p", words("After this lesson you can"), classes="card-title")
        objectives = html("ul", *items, classes="card-objectives")
        return [html("div", title, objectives, html("dl", *facts, classes="card-facts simple"), classes="lesson-card")]

    def cost(self) -> dict[str, str]:
        """What was measured of the lesson on a CPU and on a GPU, in words."""
        file = Path(self.env.srcdir, "book", "results", "lesson_cost.json")
        self.env.note_dependency(str(file))
        measured = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        cost = measured.get(lesson_of(self.env.docname), {})
        gpu = {"GPU": cost_words(cost["cuda"])} if cost.get("cuda") else {}
        return {"CPU": cost_words(cost.get("cpu"), "of processor time"), **gpu}


def without_stop(content: list[nodes.Node]) -> list[nodes.Node]:
    """A copy of the words of an objective to stand alone, without the stop that ends them in a list."""
    copies = [node.deepcopy() for node in content]
    if copies and isinstance(copies[-1], nodes.Text):
        copies[-1] = words(copies[-1].rstrip(" .;,"))
    return copies


def cost_words(run: dict | None, of: str = "") -> str:
    """One measured run of a lesson, as a card says it; ``of`` says what its seconds are, if not those of a clock."""
    if not run:
        return "not measured"
    parts = [f"about {max(1, round(run['seconds']))} s {of}".rstrip()]
    if threads := run.get("threads"):
        parts.append("1 thread" if threads == 1 else f"{threads} threads")
    if gigabytes := run.get("peak_gb"):
        parts.append(f"{gigabytes:.1f} GB of memory")
    return ", ".join(parts)


class ExerciseCard(CourseDirective):
    """``:::{exercise-card} topic.exercise``: what is known of an exercise before it is tried."""

    required_arguments = 1

    def make(self) -> list[nodes.Node]:
        exercise = find_exercise(self.arguments[0])
        facts = exercise.facts
        badge = objective_badge("", objective=exercise.objective, short=True)
        rows = [self.fact("Objective", badge)]
        for name in ("Difficulty", "Time", "Points"):
            rows.append(self.fact(name, words(facts[name])))
        facts_list = html("dl", *rows, classes="card-facts simple")
        card = html("div", facts_list, classes="exercise-card", data_exercise=exercise.id)
        card["exercise"] = exercise.id
        if sentence := exercise.forbidden_sentence:
            card += html("p", *self.inline(sentence), classes="card-rule")
        return [card]


class Quiz(CourseDirective):
    """``:::{quiz}``: a question, and answers that each open and explain themselves. It needs no script."""

    def make(self) -> list[nodes.Node]:
        quiz = parse_quiz(self.content)
        name = f"quiz-{self.env.new_serialno('quiz')}"
        question = html("div", *self.parse_text_to_nodes(quiz.question), classes="quiz-question")
        question["ids"].append(name)
        # What a browser remembers of it is kept under its words, which stay when other quizzes come or go.
        known = hashlib.sha256(quiz.question.encode()).hexdigest()[:10]
        course_page(self.env).quizzes.append(known)
        box = html("div", question, classes="quiz", role="group", aria_labelledby=name, data_quiz=known)
        for choice in quiz.choices:
            answer = self.parse_text_to_nodes(choice.explanation)
            if not isinstance(answer[0], nodes.paragraph):
                answer.insert(0, nodes.paragraph())
            verdict = "Right." if choice.right else "Not right."
            answer[0].insert(0, [nodes.strong("", verdict, classes=["quiz-verdict"]), words(" ")])
            summary = html("summary", html("span", *self.inline(choice.text)))
            kind = "quiz-right" if choice.right else "quiz-wrong"
            box += html("details", summary, html("div", *answer, classes="quiz-answer"), classes=f"quiz-choice {kind}")
        return [box]


class ObjectiveRole(SphinxRole):
    """``{objective}`01.2```: this section works towards the objective; a badge leads to the matrix."""

    def run(self):
        return [objective_badge("", objective=self.text.strip(), short=False)], []
