"""The detached process around one ansible run. Imports only the standard library and ansible_runner."""
