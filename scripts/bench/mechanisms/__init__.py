"""What each mechanism brings to a task, with it and without it, on conversations of others.

python -m scripts.bench.mechanisms PART --data DIRECTORY [--off] [--record]
"""
