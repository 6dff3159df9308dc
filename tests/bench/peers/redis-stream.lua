-- Read up to ARGV[2] messages of the stream KEYS[1] for the consumer ARGV[1], and ack those that it read before.
local read = redis.call('XPENDING', KEYS[1], 'workers', '-', '+', ARGV[2], ARGV[1])
if #read > 0 then
    local ids = {}
    for i, message in ipairs(read) do
        ids[i] = message[1]
    end
    redis.call('XACK', KEYS[1], 'workers', unpack(ids))
end
return redis.call('XREADGROUP', 'GROUP', 'workers', ARGV[1], 'COUNT', ARGV[2], 'STREAMS', KEYS[1], '>')
