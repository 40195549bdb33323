"""Tests of the DingTalk channel."""
