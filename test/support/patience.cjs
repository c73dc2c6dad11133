// Tests share two cores with guests and S3 servers: how long one takes says nothing about what it tests.
/* global jest */
jest.setTimeout(60_000)
