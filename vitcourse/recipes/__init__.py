"""The programs that train the course's models and make ``book/results`` (``vitcourse record NAME``).

A recipe is a module here with ``record(data, say) -> Path``: ``data`` is the folder of real data or None, ``say`` takes
one line of progress, and the path is the file that was written.
"""

RECIPES = (
    "asl_data",
    "asl_real",
    "asl_rendered",
    "asl_table",
    "asl_table_in21k",
    "asl_table_real",
    "bench",
    "bert_text",
    "heads",
    "loop_speed",
    "number_words",
    "parallel_branches",
    "sign_backbone",
    "sign_transfer",
    "waiting_threads",
)
