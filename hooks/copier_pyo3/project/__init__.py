"""The project and what is around it: git, the files, the surroundings."""
