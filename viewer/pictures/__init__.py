"""Pictures: the pages that show a viewer, and what they are asked to take: stills, animations."""
