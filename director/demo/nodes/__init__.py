"""The nodes of the sample job: each with its tests, and with what the models write for it."""

from director.demo.nodes.contents import CONTENTS
from director.demo.nodes.headings import HEADINGS
from director.demo.nodes.reading_time import READING_TIME
from director.demo.nodes.slug import SLUG

NODES = (SLUG, READING_TIME, HEADINGS, CONTENTS)
