"""DingTalk as a running hub sees it: `python -m hub simulate dingtalk`.

The hub's `api_base` must name an address of this machine, e.g. "http://127.0.0.1:9002": there the platform is
played. What is typed is said to the robot, what the robot answers is shown; with transport "stream" the hub
connects by itself, with "webhook" its callback is called with real signatures.
"""

from channels.simulators.dingtalk.console import play
from channels.simulators.dingtalk.platform import Platform, Shown
from channels.simulators.dingtalk.refusals import Fault, Refused

__all__ = ["Fault", "Platform", "Refused", "Shown", "play"]
