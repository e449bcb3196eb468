"""What the lessons show: styled plots, figures with a slider, drawings of a model."""
