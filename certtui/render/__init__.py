"""Pure rendering: (Plan, Facts) to files and actions; it reads nothing and runs nothing."""
