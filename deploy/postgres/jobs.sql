-- The queue and the step records of jobs have a database of their own.
CREATE DATABASE jobs OWNER tailwise;
