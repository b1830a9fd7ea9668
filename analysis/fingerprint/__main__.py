"""`python -m analysis.fingerprint DIRECTORY`: judge the rows of a probe, write and print the fingerprint."""

from analysis.fingerprint.fingerprint import main

if __name__ == "__main__":
    main()
