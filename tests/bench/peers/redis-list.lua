-- Take up to ARGV[2] messages off the list KEYS[1] for the consumer ARGV[1], who has done with those that it took before:
-- until then they are in a list of its own, so that none is lost when it dies.
local mine = KEYS[1] .. ':' .. ARGV[1]
redis.call('DEL', mine)
local messages = redis.call('LPOP', KEYS[1], ARGV[2])
if messages then
    redis.call('RPUSH', mine, unpack(messages))
end
return messages
