#!/bin/bash
# Grades a class on a Slurm cluster, here in 20 shards. In the kit's folder, set up with .venv:
#
#   sbatch --wait --array=1-20 docs/courses/slurm-grade.sh class lab4 20
#   .venv/bin/nox -s grade -- --merge grades/*-of-20
#
# Shard 7 once more: sbatch --wait --array=7 docs/courses/slurm-grade.sh class lab4 20
#SBATCH --job-name=grade
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=01:00:00
set -euo pipefail
submissions=$1 lab=$2 shards=$3
# Without a box, a student's program could do on the cluster what you can.
.venv/bin/nox -s grade -- "$submissions" --lab "$lab" --shard "$SLURM_ARRAY_TASK_ID/$shards" \
  --jobs "$SLURM_CPUS_PER_TASK" --sandbox bwrap
