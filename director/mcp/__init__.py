"""A Model Context Protocol server: director's commands as tools for another agent."""
