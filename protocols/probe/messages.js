// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
export var ProbeRequest;
(function (ProbeRequest) {
    let _codec;
    ProbeRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.peers != null && obj.peers.length > 0) {
                    for (const value of obj.peers) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    peers: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.peers != null && obj.peers.length === opts.limits.peers) {
                                throw new MaxLengthError('Decode error - repeated field "peers" had too many elements');
                            }
                            if (obj.peers.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "peers" had too many elements');
                            }
                            obj.peers.push(reader.bytes());
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const obj = {
                    peers: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.peers != null && obj.peers === opts.limits.peers) {
                                throw new MaxLengthError('Streaming decode error - repeated field "peers" had too many elements');
                            }
                            if (obj.peers === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "peers" had too many elements');
                            }
                            yield {
                                field: `${prefix}.peers[]`,
                                index: obj.peers,
                                value: reader.bytes()
                            };
                            obj.peers++;
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, ProbeRequest.codec());
    }
    ProbeRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProbeRequest.codec(), opts);
    }
    ProbeRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProbeRequest.codec(), opts);
    }
    ProbeRequest.stream = stream;
})(ProbeRequest || (ProbeRequest = {}));
export var ProbeResponse;
(function (ProbeResponse) {
    let _codec;
    ProbeResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.answers != null && obj.answers.length > 0) {
                    for (const value of obj.answers) {
                        w.uint32(10);
                        ProbeAnswer.codec().encode(value, w);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    answers: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.answers != null && obj.answers.length === opts.limits.answers) {
                                throw new MaxLengthError('Decode error - repeated field "answers" had too many elements');
                            }
                            if (obj.answers.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "answers" had too many elements');
                            }
                            obj.answers.push(ProbeAnswer.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.answers$
                            }));
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const obj = {
                    answers: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.answers != null && obj.answers === opts.limits.answers) {
                                throw new MaxLengthError('Streaming decode error - repeated field "answers" had too many elements');
                            }
                            if (obj.answers === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "answers" had too many elements');
                            }
                            for (const evt of ProbeAnswer.codec().stream(reader, reader.uint32(), `${prefix}.answers[]`, {
                                limits: opts.limits?.answers$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.answers
                                };
                            }
                            obj.answers++;
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, ProbeResponse.codec());
    }
    ProbeResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProbeResponse.codec(), opts);
    }
    ProbeResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProbeResponse.codec(), opts);
    }
    ProbeResponse.stream = stream;
})(ProbeResponse || (ProbeResponse = {}));
export var ProbeAnswer;
(function (ProbeAnswer) {
    let _codec;
    ProbeAnswer.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.verdict != null && obj.verdict !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.verdict);
                }
                if ((obj.roundTripMs != null && obj.roundTripMs !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.roundTripMs);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    verdict: 0,
                    roundTripMs: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.verdict = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.roundTripMs = reader.uint32();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.verdict`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.roundTripMs`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, ProbeAnswer.codec());
    }
    ProbeAnswer.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProbeAnswer.codec(), opts);
    }
    ProbeAnswer.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProbeAnswer.codec(), opts);
    }
    ProbeAnswer.stream = stream;
})(ProbeAnswer || (ProbeAnswer = {}));
